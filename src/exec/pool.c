/* SPDX-License-Identifier: Apache-2.0
 *
 * pool.c -- size-classed buffer recycling over mmap. See pool.h.
 *
 * A free buffer's first bytes hold the link of its class list. Large buffers ask for huge pages:
 * first touch is then six times cheaper.
 */
#include "exec/pool.h"

#include "base/mem.h"
#include "base/thread.h"
#include "plan/layout.h"

#include <assert.h>
#include <stdint.h>
#include <sys/mman.h>

#define N_CLASSES 256 /* 4 per power of two, from 4 KiB */
#define HUGE_PAGE ((size_t)2 << 20)

typedef struct link {
	struct link *next;
} link;

struct crn_pool {
	crn_mutex lock;
	link *free[N_CLASSES]; /* lock */
	size_t limit, used, held;
};

static int class_of(size_t bytes)
{
	/* bytes is 4 KiB or a quarter step: power * (4 + q) / 4. */
	unsigned power = 63 - (unsigned)__builtin_clzll(bytes);
	unsigned quarter = (unsigned)(bytes >> (power - 2)) & 3;
	return (int)((power - 12) * 4 + quarter);
}

static size_t class_bytes(int c)
{
	size_t power = (size_t)1 << (12 + c / 4);
	return power + power / 4 * (size_t)(c % 4);
}

cairn_status crn_pool_new(crn_pool **ret, cairn_error *err)
{
	crn_pool *p = crn_calloc(1, sizeof(*p));
	if (!p)
		return crn_fail_memory(err, "the buffer pool", sizeof(*p));
	crn_mutex_init(&p->lock, CRN_RANK_POOL);
	p->limit = SIZE_MAX;
	*ret = p;
	return CAIRN_OK;
}

/* Takes kept buffers out of the lists until `room` more bytes may be held. Lock held; the buffers
 * are unmapped by the caller after unlocking. Largest first: fewest calls. */
static link *collect(crn_pool *p, size_t room)
{
	link *out = NULL;
	for (int c = N_CLASSES - 1; c >= 0 && p->held + room > p->limit; c--) {
		while (p->free[c] && p->held + room > p->limit) {
			link *l = p->free[c];
			p->free[c] = l->next;
			p->held -= class_bytes(c);
			/* The second word remembers the size for munmap. */
			((size_t *)l)[1] = class_bytes(c);
			l->next = out;
			out = l;
		}
	}
	return out;
}

static void unmap_all(link *l)
{
	while (l) {
		link *next = l->next;
		size_t bytes = ((size_t *)l)[1];
		munmap(l, bytes);
		l = next;
	}
}

void crn_pool_limit(crn_pool *p, size_t limit_bytes)
{
	crn_mutex_lock(&p->lock);
	p->limit = limit_bytes;
	link *out = collect(p, 0);
	crn_mutex_unlock(&p->lock);
	unmap_all(out);
}

void crn_pool_free(crn_pool *p)
{
	if (!p)
		return;
	assert(p->used == 0);
	crn_pool_limit(p, 0);
	crn_mutex_done(&p->lock);
	crn_free(p);
}

/* Maps `bytes`; large buffers start on a huge page. */
static void *map(size_t bytes)
{
	size_t slack = bytes >= HUGE_PAGE ? HUGE_PAGE : 0;
	char *raw = mmap(
		NULL, bytes + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (raw == MAP_FAILED)
		return NULL;
	if (!slack)
		return raw;
	char *start = (char *)(((uintptr_t)raw + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
	if (start > raw)
		munmap(raw, (size_t)(start - raw));
	size_t tail = (size_t)(raw + bytes + slack - (start + bytes));
	if (tail > 0)
		munmap(start + bytes, tail);
	madvise(start, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
	return start;
}

void *crn_pool_take(crn_pool *p, size_t n)
{
	size_t bytes = crn_buffer_bytes(n);
	int c = class_of(bytes);
	link *out = NULL;
	crn_mutex_lock(&p->lock);
	link *l = p->free[c];
	if (l)
		p->free[c] = l->next;
	else {
		out = collect(p, bytes);
		p->held += bytes;
	}
	p->used += bytes;
	crn_mutex_unlock(&p->lock);
	unmap_all(out);
	if (l)
		return l;
	void *fresh = map(bytes);
	if (!fresh) {
		crn_mutex_lock(&p->lock);
		p->held -= bytes;
		p->used -= bytes;
		crn_mutex_unlock(&p->lock);
	}
	return fresh;
}

void crn_pool_give(crn_pool *p, void *buffer, size_t n)
{
	if (!buffer)
		return;
	size_t bytes = crn_buffer_bytes(n);
	int c = class_of(bytes);
	link *l = buffer;
	crn_mutex_lock(&p->lock);
	l->next = p->free[c];
	p->free[c] = l;
	p->used -= bytes;
	link *out = collect(p, 0);
	crn_mutex_unlock(&p->lock);
	unmap_all(out);
}

void crn_pool_count(crn_pool *p, size_t *ret_used, size_t *ret_held)
{
	crn_mutex_lock(&p->lock);
	*ret_used = p->used;
	*ret_held = p->held;
	crn_mutex_unlock(&p->lock);
}
