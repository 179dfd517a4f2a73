/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_codecs.c -- the codecs' and the disk's rates. See bench_machine.h.
 */
#include "base/mem.h"
#include "base/thread.h"
#include "core/codec.h"
#include "exec/bench_machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EXTENT = 128, ROUNDS = 3 }; /* 128^3 uint16: 4 MiB */

typedef struct candidate {
	const char *name, *what, *config;
} candidate;

static const candidate candidates[CRN_BENCH_CODECS] = {
	{"zstd", "zstd level 1", "{\"level\": 1}"},
	{"lz4", "lz4", "{\"acceleration\": 1}"},
	{"blosc", "blosc lz4 5 shuffle",
		"{\"cname\": \"lz4\", \"clevel\": 5, \"shuffle\": 1, \"blocksize\": 0}"},
	{"gzip", "gzip level 5", "{\"level\": 5}"},
};

static double own_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* A slope with four bits of noise: about what a camera gives. */
static void fill(uint16_t *to)
{
	uint32_t noise = 20261121;
	for (int64_t i = 0; i < (int64_t)EXTENT * EXTENT * EXTENT; i++) {
		noise = noise * 1664525u + 1013904223u;
		int64_t x = i % EXTENT, y = i / EXTENT % EXTENT, z = i / EXTENT / EXTENT;
		to[i] = (uint16_t)(2000 + 3 * x + 5 * y + 7 * z + (noise >> 28));
	}
}

static cairn_status add(crn_chain *c, const crn_codec *codec, const char *config, cairn_error *err)
{
	crn_json *json = NULL;
	CRN_TRY(crn_json_parse(config, strlen(config), CAIRN_FAILED, &json, err));
	cairn_status status = crn_chain_add(c, codec, 2, json, err);
	crn_json_free(json);
	return status;
}

static cairn_status make_chain(const crn_registry *r, const candidate *k, const crn_codec *codec,
	crn_chain *c, cairn_error *err)
{
	crn_chunk_type chunk = {.dtype = CRN_U16, .ndim = 3, .shape = {EXTENT, EXTENT, EXTENT}};
	CRN_TRY(crn_chain_init(c, &chunk, err));
	CRN_TRY(add(c, crn_codec_find(r, "bytes", 3), "{\"endian\": \"little\"}", err));
	CRN_TRY(add(c, codec, k->config, err));
	return crn_chain_seal(c, err);
}

static cairn_status time_chain(
	const crn_chain *c, const crn_view *voxels, crn_codec_rate *ret, cairn_error *err)
{
	size_t most = c->encode_scratch > c->decode_scratch ? c->encode_scratch : c->decode_scratch;
	CRN_FREE char *scratch = crn_alloc(most + 64), *back = crn_alloc(c->chunk_bytes);
	CRN_FREE char *kept = crn_alloc(c->max_encoded + 64);
	if (!scratch || !back || !kept)
		return crn_fail_memory(err, "measuring codecs", most);
	char *aligned = (char *)(((uintptr_t)scratch + 63) & ~(uintptr_t)63);
	crn_view out = crn_view_dense(back, voxels->dtype, voxels->ndim, voxels->shape);
	for (int round = 0; round < ROUNDS; round++) {
		const void *object;
		size_t n;
		double start = own_seconds();
		CRN_TRY(crn_chain_encode(c, voxels, aligned, &object, &n, err));
		double encoded = own_seconds();
		memcpy(kept, object, n);
		double copied = own_seconds();
		CRN_TRY(crn_chain_decode(c, kept, n, &out, aligned, err));
		double end = own_seconds();
		double bytes = (double)c->chunk_bytes;
		ret->encode = bytes / (encoded - start) > ret->encode ? bytes / (encoded - start)
								      : ret->encode;
		ret->decode =
			bytes / (end - copied) > ret->decode ? bytes / (end - copied) : ret->decode;
		ret->ratio = bytes / (double)n;
	}
	return CAIRN_OK;
}

cairn_status crn_bench_codecs(
	const crn_registry *r, crn_codec_rate ret[CRN_BENCH_CODECS], int *ret_n, cairn_error *err)
{
	const int64_t shape[] = {EXTENT, EXTENT, EXTENT};
	CRN_FREE uint16_t *data = crn_alloc(sizeof(*data) * EXTENT * EXTENT * EXTENT);
	int n = 0;
	if (!data)
		return crn_fail_memory(err, "measuring codecs", EXTENT);
	fill(data);
	crn_view voxels = crn_view_dense(data, CRN_U16, 3, shape);
	for (int k = 0; k < CRN_BENCH_CODECS; k++) {
		const crn_codec *codec = crn_codec_find(r, candidates[k].name, 2);
		crn_chain c = {0};
		if (!codec)
			continue;
		ret[n] = (crn_codec_rate){.name = candidates[k].name, .what = candidates[k].what};
		cairn_status status = make_chain(r, &candidates[k], codec, &c, err);
		if (status == CAIRN_OK)
			status = time_chain(&c, &voxels, &ret[n++], err);
		crn_chain_done(&c);
		CRN_TRY(status);
	}
	*ret_n = n;
	return CAIRN_OK;
}

/* ---- the disk ---- */

#define FILE_BYTES ((size_t)64 << 20)
#define BLOCK_BYTES ((size_t)1 << 20)

static bool transfer(int fd, char *block, bool writes)
{
	for (size_t done = 0; done < FILE_BYTES;) {
		ssize_t n = writes ? write(fd, block, BLOCK_BYTES) : read(fd, block, BLOCK_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static bool time_disk(int fd, char *block, crn_machine *m)
{
	int64_t start = crn_now_ns();
	if (!transfer(fd, block, true) || fdatasync(fd) != 0)
		return false;
	m->disk_write = (double)FILE_BYTES / ((double)(crn_now_ns() - start) * 1e-9);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	start = crn_now_ns();
	if (lseek(fd, 0, SEEK_SET) != 0 || !transfer(fd, block, false))
		return false;
	m->disk_read = (double)FILE_BYTES / ((double)(crn_now_ns() - start) * 1e-9);
	return true;
}

cairn_status crn_bench_disk(const char *folder, crn_machine *m, cairn_error *err)
{
	CRN_STR path = {0};
	CRN_FREE char *block = crn_alloc(BLOCK_BYTES);
	crn_str_appendf(&path, "%s/.cairn-bench-XXXXXX", folder);
	if (path.oom || !block)
		return crn_fail_memory(err, "measuring the disk", BLOCK_BYTES);
	for (size_t i = 0; i < BLOCK_BYTES; i++)
		block[i] = (char)(i * 2654435761u >>
				  13); /* not all zero: nothing must compress it away */
	int fd = mkostemp(path.data, O_CLOEXEC);
	if (fd < 0)
		return crn_fail_errno(err, CAIRN_FAILED, "creating", path.data);
	unlink(path.data); /* a kill leaves nothing behind */
	bool done = time_disk(fd, block, m);
	int why = errno;
	close(fd);
	errno = why;
	return done ? CAIRN_OK : crn_fail_errno(err, CAIRN_FAILED, "writing", path.data);
}
