/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_memory.c -- reading, writing and copying main memory: buffers far larger than the caches,
 * on one thread and on all. See bench_machine.h.
 */
#include "base/mem.h"
#include "base/thread.h"
#include "exec/bench_machine.h"

#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define BUFFER_BYTES ((size_t)32 << 20) /* two a thread */
#define MOST_THREADS 4                  /* 256 MiB; more hardly share more bandwidth */
#define ROUNDS 4

typedef enum way { READ, WRITE, COPY, N_WAYS } way;

typedef struct worker {
	crn_thread thread;
	char *from, *to;
	double rate[N_WAYS]; /* best round, bytes a second of processor time */
	uint64_t sum;        /* keeps the reads alive */
} worker;

static double own_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t read_all(const char *bytes)
{
	const uint64_t *words = (const uint64_t *)bytes;
	uint64_t sum[8] = {0};
	for (size_t i = 0; i < BUFFER_BYTES / 8; i += 8)
		for (int k = 0; k < 8; k++)
			sum[k] += words[i + (size_t)k];
	return sum[0] + sum[1] + sum[2] + sum[3] + sum[4] + sum[5] + sum[6] + sum[7];
}

static void run_way(worker *w, way what, int round)
{
	double start = own_seconds();
	if (what == READ)
		w->sum += read_all(w->from);
	else if (what == WRITE)
		memset(w->to, round, BUFFER_BYTES);
	else
		memcpy(w->to, w->from, BUFFER_BYTES);
	double rate = (double)BUFFER_BYTES / (own_seconds() - start);
	w->rate[what] = rate > w->rate[what] ? rate : w->rate[what];
}

static void *worker_main(void *arg)
{
	worker *w = arg;
	for (int round = 0; round < ROUNDS; round++)
		for (int what = 0; what < N_WAYS; what++)
			run_way(w, (way)what, round + 1);
	return NULL;
}

static char *map(void)
{
	char *p = mmap(
		NULL, BUFFER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	memset(p, 1, BUFFER_BYTES); /* the first touch is the system's work */
	return p;
}

static cairn_status run_workers(worker *w, int n, double ret[N_WAYS], cairn_error *err)
{
	cairn_status status = CAIRN_OK;
	int started = 0;
	for (int i = 0; i < n && status == CAIRN_OK; i++) {
		memset(w[i].rate, 0, sizeof(w[i].rate));
		status = crn_thread_start(&w[i].thread, worker_main, &w[i], err);
		started += status == CAIRN_OK;
	}
	for (int k = 0; k < N_WAYS; k++)
		ret[k] = 0;
	for (int i = 0; i < started; i++) {
		crn_thread_join(&w[i].thread);
		for (int k = 0; k < N_WAYS; k++)
			ret[k] += w[i].rate[k];
	}
	return status;
}

cairn_status crn_bench_memory(crn_machine *m, cairn_error *err)
{
	worker w[MOST_THREADS] = {0};
	double one[N_WAYS] = {0}, all[N_WAYS] = {0};
	int cores = crn_n_cores(), n = cores < MOST_THREADS ? cores : MOST_THREADS;
	cairn_status status = CAIRN_OK;
	for (int i = 0; i < n && status == CAIRN_OK; i++) {
		w[i].from = map();
		w[i].to = map();
		if (!w[i].from || !w[i].to)
			status = crn_fail_memory(err, "measuring memory", BUFFER_BYTES);
	}
	if (status == CAIRN_OK)
		status = run_workers(w, 1, one, err);
	if (status == CAIRN_OK)
		status = run_workers(w, n, all, err);
	for (int i = 0; i < n; i++) {
		if (w[i].from)
			munmap(w[i].from, BUFFER_BYTES);
		if (w[i].to)
			munmap(w[i].to, BUFFER_BYTES);
	}
	CRN_TRY(status);
	m->read_one = one[READ];
	m->write_one = one[WRITE];
	m->copy_one = one[COPY];
	m->read_all = all[READ];
	m->write_all = all[WRITE];
	m->copy_all = all[COPY];
	return CAIRN_OK;
}
