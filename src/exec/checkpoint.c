/* SPDX-License-Identifier: Apache-2.0
 *
 * checkpoint.c -- files of checkpoint.h.
 *
 *	tiles:    head | record | record | ...		record: tile, bytes, spill end, checksum,
 *payload partial:  head | words, bytes, checksum | set of tiles (64 a word) | payload
 *
 * A head is a magic number and the hash of everything that must be the same. Numbers are native:
 *the files never leave the machine.
 */
#include "exec/checkpoint.h"

#include "base/disk.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/thread.h"
#include "exec/journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SNAPSHOT_NS ((int64_t)1000000000)
#define WORTH_NS ((int64_t)50000000) /* a pass that took less is repeated */
#define MOST_BITS ((int64_t)1 << 30) /* of all sets together: 128 MiB */

typedef struct head {
	char magic[16];
	crn_hash id;
} head;

typedef struct tile_record {
	uint64_t tile, n, spill_end, checksum;
} tile_record;

typedef struct partial_record {
	uint64_t n_words, n, checksum;
} partial_record;

typedef struct snapshot {
	uint64_t *tiles; /* set; NULL until the first tile */
	int64_t due_ns;
	bool behind;
} snapshot;

struct crn_checkpoint {
	crn_mutex lock; /* of fd, end, broken */
	char *folder, *stem;
	head head;
	int64_t n_tiles, n_words, n_done, opened_ns;
	uint64_t *done; /* tiles of earlier runs; read-only while tiles are folded */
	int fd;         /* of the tile records; -1 until the first */
	uint64_t end;   /* bytes of whole records */
	bool broken;    /* a write failed: nothing more is kept */
	int n_workers;
	snapshot of[]; /* per worker: confined to it */
};

/* ---- opening ---- */

static crn_hash identity(const crn_node *n, int pass, const crn_grid *grid)
{
	crn_hasher h;
	char boot[CRN_BOOT_ID_BYTES];
	crn_boot_id(boot);
	crn_hasher_init(&h);
	crn_hash_text(&h, boot);
	crn_hash_u64(&h, n->hash.hi);
	crn_hash_u64(&h, n->hash.lo);
	crn_hash_u64(&h, (uint64_t)pass);
	for (int d = 0; d < grid->ndim; d++) {
		crn_hash_u64(&h, (uint64_t)grid->shape[d]);
		crn_hash_u64(&h, (uint64_t)grid->tile[d]);
	}
	return crn_hasher_result(&h);
}

crn_checkpoint *crn_checkpoint_open(
	const char *folder, const crn_node *n, int pass, const crn_grid *grid, int n_workers)
{
	char hex[33], boot[CRN_BOOT_ID_BYTES];
	CRN_STR stem = {0};
	if (!folder || grid->n_tiles > MOST_BITS / (n_workers + 1) || !crn_boot_id(boot))
		return NULL;
	crn_checkpoint *c = crn_calloc(1, sizeof(*c) + (size_t)n_workers * sizeof(snapshot));
	if (!c)
		return NULL;
	crn_mutex_init(&c->lock, CRN_RANK_JOURNAL);
	c->fd = -1;
	c->n_workers = n_workers;
	c->n_tiles = grid->n_tiles;
	c->n_words = (grid->n_tiles + 63) / 64;
	c->opened_ns = crn_now_ns();
	c->head = (head){.magic = "cairn-fold-1", .id = identity(n, pass, grid)};
	crn_str_appendf(&stem, "%s/%s-%d", folder, crn_hash_hex(n->hash, hex), pass);
	c->folder = crn_strdup(folder);
	c->stem = crn_str_take(&stem);
	c->done = crn_calloc((size_t)c->n_words + 1, sizeof(uint64_t));
	for (int w = 0; w < n_workers; w++)
		c->of[w].due_ns = c->opened_ns + SNAPSHOT_NS;
	if (!c->folder || !c->stem || !c->done) {
		crn_checkpoint_close(c);
		return NULL;
	}
	return c;
}

void crn_checkpoint_close(crn_checkpoint *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	for (int w = 0; w < c->n_workers; w++)
		crn_free(c->of[w].tiles);
	crn_mutex_done(&c->lock);
	crn_free(c->folder);
	crn_free(c->stem);
	crn_free(c->done);
	crn_free(c);
}

static bool has_bit(const uint64_t *set, int64_t tile)
{
	return set[tile >> 6] >> (tile & 63) & 1;
}

bool crn_checkpoint_has(const crn_checkpoint *c, int64_t tile)
{
	return c && has_bit(c->done, tile);
}

int64_t crn_checkpoint_count(const crn_checkpoint *c)
{
	return c ? c->n_done : 0;
}

static bool read_fully(int fd, uint64_t at, void *bytes, size_t n)
{
	for (char *to = bytes; n > 0;) {
		ssize_t k = pread(fd, to, n, (off_t)at);
		if (k <= 0)
			return false;
		to += k;
		at += (uint64_t)k;
		n -= (size_t)k;
	}
	return true;
}

/* Opens a file of ours; -1 if it is absent or foreign. */
static int open_kept(const crn_checkpoint *c, const char *path, uint64_t *ret_size)
{
	head found;
	struct stat st;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && read_fully(fd, 0, &found, sizeof(found)) &&
		memcmp(&found, &c->head, sizeof(found)) == 0) {
		*ret_size = (uint64_t)st.st_size;
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool kept_path(const crn_checkpoint *c, int worker, crn_str *ret)
{
	if (worker < 0)
		crn_str_appendf(ret, "%s.tiles", c->stem);
	else
		crn_str_appendf(ret, "%s.%d", c->stem, worker);
	return !ret->oom;
}

/* ---- tiles ---- */

static uint64_t tile_checksum(const tile_record *r, const crn_bytes *spans, int n)
{
	crn_hasher h;
	crn_hasher_init(&h);
	crn_hash_u64(&h, r->tile);
	crn_hash_u64(&h, r->n);
	crn_hash_u64(&h, r->spill_end);
	for (int i = 0; i < n; i++)
		crn_hash_bytes(&h, spans[i].data, spans[i].n);
	return crn_hasher_result(&h).lo;
}

/* The record at `at`, its payload on the heap; false at the first that is not whole. */
static bool read_record(
	const crn_checkpoint *c, uint64_t at, uint64_t size, tile_record *r, char **ret)
{
	if (at + sizeof(*r) > size || !read_fully(c->fd, at, r, sizeof(*r)) ||
		r->n > size - at - sizeof(*r) || r->tile >= (uint64_t)c->n_tiles)
		return false;
	char *bytes = crn_alloc((size_t)r->n + 1);
	crn_bytes all = {bytes, (size_t)r->n};
	if (bytes && read_fully(c->fd, at + sizeof(*r), bytes, (size_t)r->n) &&
		tile_checksum(r, &all, 1) == r->checksum) {
		*ret = bytes;
		return true;
	}
	crn_free(bytes);
	return false;
}

void crn_checkpoint_load_tiles(crn_checkpoint *c, uint64_t spill_bytes,
	bool (*load)(void *user, int64_t tile, const void *bytes, size_t n), void *user)
{
	CRN_STR path = {0};
	uint64_t size = 0;
	tile_record r;
	char *bytes;
	if (!c || !kept_path(c, -1, &path) || (c->fd = open_kept(c, path.data, &size)) < 0)
		return;
	for (c->end = sizeof(head); read_record(c, c->end, size, &r, &bytes);) {
		int64_t tile = (int64_t)r.tile;
		if (r.spill_end <= spill_bytes && !has_bit(c->done, tile) &&
			load(user, tile, bytes, (size_t)r.n)) {
			c->done[tile >> 6] |= (uint64_t)1 << (tile & 63);
			c->n_done++;
		}
		crn_free(bytes);
		c->end += sizeof(r) + r.n;
	}
	/* A record torn by the kill. */
	if (ftruncate(c->fd, (off_t)c->end) != 0)
		c->broken = true;
}

static bool begin_tiles(crn_checkpoint *c)
{
	CRN_STR path = {0};
	if (!kept_path(c, -1, &path) || crn_make_folders(c->folder, NULL) != CAIRN_OK)
		return false;
	c->fd = crn_disk_open(path.data, O_RDWR | O_CREAT | O_TRUNC);
	c->end = sizeof(head);
	return c->fd >= 0 && crn_disk_write_at(c->fd, path.data, 0, &c->head, sizeof(head));
}

static bool write_record(crn_checkpoint *c, const tile_record *r, const crn_bytes *spans, int n)
{
	uint64_t at = c->end;
	if (!crn_disk_write_at(c->fd, c->stem, at, r, sizeof(*r)))
		return false;
	at += sizeof(*r);
	for (int i = 0; i < n; i++) {
		if (!crn_disk_write_at(c->fd, c->stem, at, spans[i].data, spans[i].n))
			return false;
		at += spans[i].n;
	}
	c->end = at;
	return true;
}

void crn_checkpoint_add_tile(
	crn_checkpoint *c, int64_t tile, uint64_t spill_end, const crn_bytes *spans, int n)
{
	tile_record r = {.tile = (uint64_t)tile, .spill_end = spill_end};
	for (int i = 0; i < n; i++)
		r.n += spans[i].n;
	r.checksum = tile_checksum(&r, spans, n);
	crn_mutex_lock(&c->lock);
	if (!c->broken && (c->fd >= 0 || begin_tiles(c)))
		c->broken = !write_record(c, &r, spans, n);
	else
		c->broken = true;
	crn_mutex_unlock(&c->lock);
}

/* ---- partials ---- */

static uint64_t partial_checksum(
	const partial_record *r, const uint64_t *tiles, const crn_bytes *spans, int n)
{
	crn_hasher h;
	crn_hasher_init(&h);
	crn_hash_u64(&h, r->n);
	crn_hash_bytes(&h, tiles, (size_t)r->n_words * sizeof(*tiles));
	for (int i = 0; i < n; i++)
		crn_hash_bytes(&h, spans[i].data, spans[i].n);
	return crn_hasher_result(&h).lo;
}

/* Set and payload of a worker, checked; NULL if there are none. */
static uint64_t *read_partial(const crn_checkpoint *c, int worker, partial_record *r)
{
	CRN_STR path = {0};
	uint64_t size = 0;
	int fd = kept_path(c, worker, &path) ? open_kept(c, path.data, &size) : -1;
	uint64_t *all = NULL;
	if (fd >= 0 && read_fully(fd, sizeof(head), r, sizeof(*r)) &&
		r->n_words == (uint64_t)c->n_words &&
		size >= sizeof(head) + sizeof(*r) + 8 * r->n_words &&
		r->n == size - sizeof(head) - sizeof(*r) - 8 * r->n_words)
		all = crn_alloc((size_t)(8 * r->n_words + r->n) + 1);
	if (all) {
		crn_bytes payload = {all + r->n_words, (size_t)r->n};
		bool whole = read_fully(fd, sizeof(head) + sizeof(*r), all,
				     (size_t)(8 * r->n_words + r->n)) &&
			     partial_checksum(r, all, &payload, 1) == r->checksum;
		for (int64_t i = 0; whole && i < c->n_words; i++)
			whole = (all[i] & c->done[i]) == 0;
		if (!whole) {
			crn_free(all);
			all = NULL;
		}
	}
	if (fd >= 0)
		close(fd);
	return all;
}

void crn_checkpoint_load_partial(crn_checkpoint *c, int worker,
	bool (*load)(void *user, const void *bytes, size_t n), void *user)
{
	partial_record r;
	uint64_t *all = c ? read_partial(c, worker, &r) : NULL;
	if (all && load(user, all + r.n_words, (size_t)r.n)) {
		for (int64_t i = 0; i < c->n_words; i++) {
			c->done[i] |= all[i];
			c->n_done += __builtin_popcountll(all[i]);
		}
		c->of[worker].tiles = all; /* the set is its front */
		return;
	}
	crn_free(all);
}

bool crn_checkpoint_fold_partial(crn_checkpoint *c, int worker, int64_t tile)
{
	snapshot *s = &c->of[worker];
	if (!s->tiles)
		s->tiles = crn_calloc((size_t)c->n_words + 1, sizeof(uint64_t));
	if (!s->tiles) {
		s->due_ns = INT64_MAX; /* a set with a gap must never be written */
		return false;
	}
	s->tiles[tile >> 6] |= (uint64_t)1 << (tile & 63);
	s->behind = true;
	return crn_now_ns() >= s->due_ns;
}

static bool write_partial(
	crn_checkpoint *c, int worker, const partial_record *r, const crn_bytes *spans, int n)
{
	CRN_STR path = {0};
	CRN_STR temp = {0};
	if (!kept_path(c, worker, &path) || crn_make_folders(c->folder, NULL) != CAIRN_OK)
		return false;
	crn_str_appendf(&temp, "%s.tmp", path.data);
	int fd = temp.oom ? -1 : crn_disk_open(temp.data, O_WRONLY | O_CREAT | O_TRUNC);
	if (fd < 0)
		return false;
	bool ok = crn_disk_write(fd, path.data, &c->head, sizeof(head)) &&
		  crn_disk_write(fd, path.data, r, sizeof(*r)) &&
		  crn_disk_write(fd, path.data, c->of[worker].tiles, 8 * (size_t)r->n_words);
	for (int i = 0; i < n && ok; i++)
		ok = crn_disk_write(fd, path.data, spans[i].data, spans[i].n);
	ok = crn_disk_close(fd, path.data) && ok;
	ok = ok && crn_disk_rename(temp.data, path.data);
	if (!ok)
		unlink(temp.data);
	return ok;
}

void crn_checkpoint_add_partial(crn_checkpoint *c, int worker, const crn_bytes *spans, int n)
{
	snapshot *s = &c->of[worker];
	int64_t began = crn_now_ns();
	partial_record r = {.n_words = (uint64_t)c->n_words};
	for (int i = 0; i < n; i++)
		r.n += spans[i].n;
	r.checksum = partial_checksum(&r, s->tiles, spans, n);
	bool ok = write_partial(c, worker, &r, spans, n);
	int64_t now = crn_now_ns(), pause = 20 * (now - began);
	s->behind = false;
	s->due_ns = ok ? now + (pause > SNAPSHOT_NS ? pause : SNAPSHOT_NS) : INT64_MAX;
}

bool crn_checkpoint_is_behind(const crn_checkpoint *c, int worker)
{
	const snapshot *s = &c->of[worker];
	return s->behind && s->due_ns != INT64_MAX && crn_now_ns() - c->opened_ns >= SNAPSHOT_NS;
}
