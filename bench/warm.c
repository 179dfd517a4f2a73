/* SPDX-License-Identifier: Apache-2.0
 *
 * warm.c -- computes one expression again and again in one process: what a library user's second
 * call costs, without the start of a command.
 *
 *	warm THREADS MEMORY FRESH EXPRESSION
 *
 * Every line on stdin asks for one run into memory; the answer is one line "WALL CPU", seconds of
 * the clock and of all threads. Each run has a session of its own, so nothing it computes comes
 *from an earlier run's chunk cache. FRESH 1 takes new pages for every result, as an array library
 *does; 0 reuses the buffer. At the end of stdin: "PEAK BYTES", the peak resident set and the
 *result.
 */
#include <cairn/cairn.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double cpu_s(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

/* Peak resident set of this program. (getrusage's starts with that of whoever started us.) */
static long peak_bytes(void)
{
	char line[256];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmHWM: %ld kB", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib * 1024;
}

static int complain(const cairn_error *err)
{
	fprintf(stderr, "warm: %s\n%s\n%s\n", err->message, err->where, err->hint);
	return 1;
}

static void *new_pages(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

typedef struct question {
	const char *expression;
	cairn_options options;
	char *buffer;
	size_t size_bytes;
} question;

/* One run in a new session; the buffer is made when there is none. */
static cairn_status answer(question *q, cairn_error *err)
{
	cairn_session *s = NULL;
	cairn_array *a = NULL;
	cairn_status status = cairn_session_new(&s, err);
	if (status == CAIRN_OK)
		status = cairn_array_eval(s, NULL, q->expression, &a, err);
	if (status == CAIRN_OK) {
		q->size_bytes = cairn_array_item_bytes(a);
		for (int d = 0; d < cairn_array_ndim(a); d++)
			q->size_bytes *= (size_t)cairn_array_shape(a)[d];
		if (!q->buffer && !(q->buffer = new_pages(q->size_bytes)))
			status = CAIRN_FAILED;
	}
	if (status == CAIRN_OK)
		status = cairn_array_read(
			a, NULL, NULL, NULL, q->buffer, q->size_bytes, &q->options, err);
	cairn_array_free(a);
	cairn_session_free(s);
	return status;
}

int main(int argc, char **argv)
{
	cairn_error err;
	question q;
	char line[64];
	memset(&err, 0, sizeof(err));
	memset(&q, 0, sizeof(q));
	if (argc != 5) {
		fprintf(stderr, "usage: warm THREADS MEMORY FRESH EXPRESSION\n");
		return 2;
	}
	q.expression = argv[4];
	q.options.n_threads = atoi(argv[1]);
	int fresh = atoi(argv[3]);
	if (cairn_parse_size(argv[2], &q.options.memory_bytes, &err) != CAIRN_OK)
		return complain(&err);
	while (fgets(line, sizeof(line), stdin)) {
		double wall = now_s(), cpu = cpu_s();
		if (answer(&q, &err) != CAIRN_OK)
			return complain(&err);
		printf("%.6f %.6f\n", now_s() - wall, cpu_s() - cpu);
		fflush(stdout);
		if (fresh) {
			munmap(q.buffer, q.size_bytes);
			q.buffer = NULL;
		}
	}
	printf("%ld %zu\n", peak_bytes(), q.size_bytes);
	return 0;
}
