/* SPDX-License-Identifier: Apache-2.0
 *
 * replay.c -- runs a fuzz target without libFuzzer: the whole corpus, then seeded mutations of it.
 *
 *	fuzz_NAME CORPUS_FOLDER SECONDS [SEED]      replay, then mutate until the time is over
 *	fuzz_NAME --input FILE...                   replay only these
 *
 * Any file that defines LLVMFuzzerTestOneInput links with this in every build, so foreign bytes are
 * thrown at the parsers in `make test` too; `make fuzz` builds the same files with libFuzzer.
 * A crash, a failed assert, an input slower than SLOW_S or a mutation that eats more than
 * MEMORY_BYTES ends with status 1 and leaves the input in ./crash-NAME for --input.
 * Mutations know numbers: boundary values in every width and byte order, and decimal texts, since
 * size fields that lie are what breaks parsers. CORPUS_FOLDER.dict may hold tokens, one a line.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

enum {
	MAX_INPUTS = 4096,
	MAX_BYTES = 1 << 16, /* of a mutated input; corpus files may be longer */
	MAX_TOKENS = 512,
	SLOW_S = 10,
};
#define MEMORY_BYTES ((rlim_t)2 << 30)

typedef struct input {
	uint8_t *bytes;
	size_t n;
	char *name;
} input;

static input corpus[MAX_INPUTS];
static int n_corpus;
static char *tokens[MAX_TOKENS];
static int n_tokens;
static uint64_t rng;

/* What runs now, for the signal handler. */
static const uint8_t *current;
static size_t current_n;
static char crash_path[256];
static char running[512];

/* ---- when it goes wrong ---- */

static void say(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		_exit(1);
}

/* Async-signal-safe: open, write, _exit. */
static void on_signal(int number)
{
	say(number == SIGALRM ? "TOO SLOW on " : "CRASH on ");
	say(running);
	int fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd >= 0 && write(fd, current, current_n) == (ssize_t)current_n) {
		say("; the input is in ");
		say(crash_path);
	}
	say("\n");
	_exit(1);
}

static void run_one(const uint8_t *bytes, size_t n)
{
	/* A copy of exactly n bytes, so that the sanitizers see reads behind the end. */
	uint8_t *copy = malloc(n ? n : 1);
	if (!copy)
		return;
	if (n)
		memcpy(copy, bytes, n);
	current = copy;
	current_n = n;
	alarm(SLOW_S);
	LLVMFuzzerTestOneInput(copy, n);
	alarm(0);
	free(copy);
}

/* ---- reading ---- */

static bool load(const char *path, const char *name)
{
	FILE *f = fopen(path, "rbe");
	if (!f || n_corpus == MAX_INPUTS)
		return f && fclose(f) != 0;
	input *in = &corpus[n_corpus];
	size_t cap = 4096;
	in->bytes = malloc(cap);
	in->n = 0;
	while (in->bytes) {
		in->n += fread(in->bytes + in->n, 1, cap - in->n, f);
		if (in->n < cap)
			break;
		cap *= 2;
		in->bytes = realloc(in->bytes, cap);
	}
	fclose(f);
	if (!in->bytes)
		return false;
	in->name = strdup(name);
	n_corpus++;
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const input *)a)->name, ((const input *)b)->name);
}

static bool load_folder(const char *folder)
{
	DIR *d = opendir(folder);
	if (!d)
		return false;
	for (const struct dirent *e; (e = readdir(d));) {
		char path[2048];
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (e->d_name[0] != '.')
			load(path, e->d_name);
	}
	closedir(d);
	qsort(corpus, (size_t)n_corpus, sizeof(corpus[0]),
		by_name); /* the seed decides, not the disk */
	return n_corpus > 0;
}

static void load_tokens(const char *folder)
{
	char path[2048], line[256];
	snprintf(path, sizeof(path), "%s.dict", folder);
	FILE *f = fopen(path, "re");
	while (f && n_tokens < MAX_TOKENS && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0])
			tokens[n_tokens++] = strdup(line);
	}
	if (f)
		fclose(f);
}

/* ---- mutating ---- */

static uint64_t next(void)
{
	uint64_t z = rng += 0x9E3779B97F4A7C15u;
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

static size_t below(size_t n)
{
	return n ? (size_t)(next() % n) : 0;
}

/* Replaces `old` bytes at `at` by `bytes`; cut at MAX_BYTES. */
static void put_bytes(input *in, size_t at, size_t old, const void *bytes, size_t n)
{
	old = old > in->n - at ? in->n - at : old;
	if (in->n - old + n > MAX_BYTES)
		return;
	memmove(in->bytes + at + n, in->bytes + at + old, in->n - at - old);
	if (n)
		memcpy(in->bytes + at, bytes, n);
	in->n = in->n - old + n;
}

static uint64_t boundary(void)
{
	static const uint64_t values[] = {0, 1, 2, 3, 7, 8, 9, 127, 128, 255, 256, 4095, 4096,
		32767, 32768, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
		UINT64_C(1) << 40, UINT64_C(1) << 62, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX};
	uint64_t v = values[below(sizeof(values) / sizeof(values[0]))];
	return next() & 1 ? v : v + next() % 3 - 1;
}

static void put_binary_number(input *in)
{
	static const size_t widths[] = {1, 2, 4, 8};
	size_t width = widths[below(4)];
	uint64_t v = boundary();
	uint8_t bytes[8];
	bool big = next() & 1;
	for (size_t i = 0; i < width; i++)
		bytes[i] = (uint8_t)(v >> 8 * (big ? width - 1 - i : i));
	put_bytes(in, below(in->n), width, bytes, width);
}

/* Overwrites a run of digits near a random place by another number. */
static void put_text_number(input *in)
{
	static const char *const odd[] = {"-1", "1e999", "-0", "0.5", "1e-400",
		"99999999999999999999", "nan", "null", "\"\"", "[]", "{}"};
	char text[32];
	size_t at = below(in->n), end = in->n;
	while (at < end && (in->bytes[at] < '0' || in->bytes[at] > '9'))
		at++;
	size_t old = 0;
	while (at + old < end && in->bytes[at + old] >= '0' && in->bytes[at + old] <= '9')
		old++;
	if (next() & 1)
		snprintf(text, sizeof(text), "%" PRIu64, boundary());
	else
		snprintf(text, sizeof(text), "%s", odd[below(sizeof(odd) / sizeof(odd[0]))]);
	put_bytes(in, at, old, text, strlen(text));
}

static void mutate_once(input *in)
{
	size_t at = below(in->n);
	uint8_t byte = (uint8_t)next();
	const input *other = &corpus[below((size_t)n_corpus)];
	size_t from = below(other->n), len = below(other->n - from + 1);
	switch (next() % 10) {
	case 0:
		if (in->n)
			in->bytes[at] ^= (uint8_t)(1u << (next() & 7));
		break;
	case 1:
		put_bytes(in, at, 1, &byte, 1);
		break;
	case 2:
		put_bytes(in, at, 0, &byte, 1);
		break;
	case 3: /* cut out */
		put_bytes(in, at, 1 + below(64), NULL, 0);
		break;
	case 4: /* truncate */
		in->n = below(in->n + 1);
		break;
	case 5: /* a piece of another input */
		put_bytes(in, at, next() & 1 ? len : 0, other->bytes + from, len);
		break;
	case 6: {
		/* the same piece again */
		uint8_t piece[512];
		size_t n = 1 + below(sizeof(piece) - 1);
		n = n > in->n - at ? in->n - at : n;
		memcpy(piece, in->bytes + at, n);
		put_bytes(in, at, 0, piece, n);
		break;
	}
	case 7:
		put_binary_number(in);
		break;
	case 8:
		put_text_number(in);
		break;
	default:
		if (n_tokens) {
			const char *t = tokens[below((size_t)n_tokens)];
			put_bytes(in, at, below(3) ? 0 : below(8), t, strlen(t));
		}
		break;
	}
}

static double seconds_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int64_t mutate_for(double seconds)
{
	input in = {.bytes = malloc(2 * MAX_BYTES)};
	double end = seconds_now() + seconds;
	int64_t turns = 0;
	for (; in.bytes && seconds_now() < end; turns++) {
		uint64_t start = rng;
		const input *seed = &corpus[below((size_t)n_corpus)];
		in.n = seed->n > MAX_BYTES ? MAX_BYTES : seed->n;
		if (in.n)
			memcpy(in.bytes, seed->bytes, in.n);
		for (size_t k = 1 + below(6); k > 0; k--)
			mutate_once(&in);
		snprintf(running, sizeof(running), "a mutation of %s (state %016" PRIx64 ")",
			seed->name, start);
		run_one(in.bytes, in.n);
	}
	free(in.bytes);
	return turns;
}

static void watch(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};
	struct sigaction a = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &a, NULL);
	signal(SIGPIPE, SIG_IGN);
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	struct rlimit memory = {MEMORY_BYTES, MEMORY_BYTES};
	setrlimit(RLIMIT_AS, &memory);
#endif
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	snprintf(crash_path, sizeof(crash_path), "crash-%s", name);
	if (argc < 3) {
		fprintf(stderr, "usage: %s CORPUS_FOLDER SECONDS [SEED] | --input FILE...\n", name);
		return 2;
	}
	watch();
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	bool inputs_only = strcmp(argv[1], "--input") == 0;
	for (int i = 2; i < argc && inputs_only; i++)
		load(argv[i], argv[i]);
	if (inputs_only ? n_corpus == 0 : !load_folder(argv[1])) {
		fprintf(stderr, "%s: no inputs in %s\n", name, argv[inputs_only ? 2 : 1]);
		return 2;
	}
	for (int i = 0; i < n_corpus; i++) {
		snprintf(running, sizeof(running), "%s", corpus[i].name);
		run_one(corpus[i].bytes, corpus[i].n);
	}
	int64_t turns = 0;
	rng = argc > 3 ? strtoull(argv[3], NULL, 0) : 1;
	if (!inputs_only) {
		load_tokens(argv[1]);
		turns = mutate_for(atof(argv[2]));
	}
	printf("%s: %d inputs, %" PRId64 " mutations, seed %s\n", name, n_corpus, turns,
		argc > 3 ? argv[3] : "1");
	for (int i = 0; i < n_corpus; i++) {
		free(corpus[i].bytes);
		free(corpus[i].name);
	}
	for (int i = 0; i < n_tokens; i++)
		free(tokens[i]);
	return 0;
}
