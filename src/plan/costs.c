/* SPDX-License-Identifier: Apache-2.0
 *
 * costs.c -- the table of measured costs. See costs.h. Pure but for the table's memory.
 */
#include "plan/costs.h"

#include "base/hash.h"
#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DECODE_NS 0.6 /* per byte, nothing measured: an uncompressed file out of the page cache */
#define ENCODE_NS 1.5 /* per byte: light compression and a file system */
#define STORE_LOAD_NS 0.3 /* per byte: 6 GB/s each way, what a core has when all cores run */
#define MOST_RATIO 64.0   /* measured : guessed; beyond, something else was measured */
#define TRUSTED 16        /* runs after which an entry no longer hardens */

void crn_costs_done(crn_costs *c)
{
	crn_free(c->entries);
	*c = (crn_costs){0};
}

/* ---- looking up ---- */

static int octave(double ns)
{
	int e = 0;
	frexp(ns, &e);
	return e;
}

/* The descriptor's figure per voxel (of the input, for reductions and folds). */
static double guess_of(const crn_node *n)
{
	if (n->op->cost)
		return n->op->cost(n);
	return n->op->kind == CRN_ELEMENTWISE ? 0.4 : n->op->kind == CRN_VIEW ? 0 : 1;
}

crn_cost crn_costs_entry(const crn_node *n, crn_isa isa)
{
	const crn_type *t = n->n_in > 0 ? &n->in[0]->type : &n->type;
	crn_cost e = {.dtype = t->dtype, .isa = isa, .guess = guess_of(n), .seen = 1};
	e.size_class = octave(e.guess);
	snprintf(e.name, sizeof(e.name), "%s", n->op->name);
	return e;
}

crn_cost crn_costs_io_entry(const char *what, const char *format, crn_dtype dtype)
{
	bool decode = strcmp(what, "decode") == 0;
	crn_cost e = {.dtype = dtype, .guess = decode ? DECODE_NS : ENCODE_NS, .seen = 1};
	e.size_class = octave(e.guess);
	snprintf(e.name, sizeof(e.name), "%s %s", what, format);
	return e;
}

static bool same_thing(const crn_cost *a, const crn_cost *b)
{
	return a->dtype == b->dtype && a->isa == b->isa && strcmp(a->name, b->name) == 0;
}

/* The entry of the nearest size class, at most two octaves away. */
static const crn_cost *find(const crn_costs *c, const crn_cost *key)
{
	const crn_cost *best = NULL;
	int best_far = 3;
	for (int i = 0; c && i < c->n; i++) {
		int far = c->entries[i].size_class - key->size_class;
		far = far < 0 ? -far : far;
		if (far >= best_far || !same_thing(&c->entries[i], key))
			continue;
		best = &c->entries[i];
		best_far = far;
	}
	return best;
}

/* A factor of 2^-4 ... 2^4 that depends on the seed and the thing alone. */
static double scrambled(const crn_costs *c, const crn_cost *key)
{
	crn_hasher h;
	crn_hasher_init(&h);
	crn_hash_u64(&h, c->scramble);
	crn_hash_bytes(&h, key->name, strlen(key->name));
	crn_hash_u64(&h, (uint64_t)key->size_class);
	return ldexp(1, (int)(crn_hasher_result(&h).lo % 9) - 4);
}

static double priced(const crn_costs *c, const crn_cost *key)
{
	const crn_cost *e = find(c, key);
	double ns = e ? key->guess * (e->ns / e->guess) : key->guess;
	return c && c->scramble ? ns * scrambled(c, key) : ns;
}

double crn_costs_of(const crn_costs *c, const crn_node *n, crn_isa isa)
{
	crn_cost key = crn_costs_entry(n, isa);
	return priced(c, &key);
}

bool crn_costs_known(const crn_costs *c, const crn_node *n, crn_isa isa)
{
	crn_cost key = crn_costs_entry(n, isa);
	return find(c, &key) != NULL;
}

double crn_costs_decode(const crn_costs *c, const char *format, crn_dtype dtype)
{
	crn_cost key = crn_costs_io_entry("decode", format, dtype);
	return priced(c, &key);
}

double crn_costs_encode(const crn_costs *c, const char *format, crn_dtype dtype)
{
	crn_cost key = crn_costs_io_entry("encode", format, dtype);
	return priced(c, &key);
}

double crn_costs_store_load(const crn_costs *c, int n_threads)
{
	static const crn_cost key = {.name = "store load", .guess = STORE_LOAD_NS};
	double ns = STORE_LOAD_NS;
	if (c && c->machine.write_all > 0 && c->machine.read_all > 0) {
		/* All threads share the machine's bandwidth; one has no more than its own. */
		double store = fmin(c->machine.write_all / n_threads, c->machine.write_one);
		double load = fmin(c->machine.read_all / n_threads, c->machine.read_one);
		ns = 1e9 / store + 1e9 / load;
	}
	return c && c->scramble ? ns * scrambled(c, &key) : ns;
}

/* ---- learning ---- */

static bool is_plausible(const crn_cost *e)
{
	return isfinite(e->ns) && isfinite(e->guess) && e->guess > 0 && e->ns > 0 &&
	       e->ns < e->guess * MOST_RATIO && e->ns > e->guess / MOST_RATIO && e->name[0];
}

/* Room for one more; the least trusted entry goes when the table is full. */
static cairn_status make_room(crn_costs *c, cairn_error *err)
{
	if (c->n < c->cap)
		return CAIRN_OK;
	if (c->n == CRN_COSTS_MOST) {
		int least = 0;
		for (int i = 1; i < c->n; i++)
			least = c->entries[i].seen < c->entries[least].seen ? i : least;
		c->entries[least] = c->entries[--c->n];
		return CAIRN_OK;
	}
	int cap = c->cap ? 2 * c->cap : 64;
	crn_cost *entries = crn_realloc_array(c->entries, (size_t)cap, sizeof(*entries));
	if (!entries)
		return crn_fail_memory(err, "the cost table", (size_t)cap * sizeof(*entries));
	c->entries = entries;
	c->cap = cap;
	return CAIRN_OK;
}

cairn_status crn_costs_learn(crn_costs *c, const crn_cost *measured, cairn_error *err)
{
	if (!is_plausible(measured))
		return CAIRN_OK;
	for (int i = 0; i < c->n; i++) {
		crn_cost *e = &c->entries[i];
		if (e->size_class != measured->size_class || !same_thing(e, measured))
			continue;
		double old = e->ns / e->guess, now = measured->ns / measured->guess;
		double step = (now < old ? 0.5 : 0.2) * (double)measured->seen /
			      (double)(measured->seen + e->seen) * 2;
		e->ns = (old + fmin(step, 1) * (now - old)) * measured->guess;
		e->guess = measured->guess;
		e->seen = e->seen < TRUSTED ? e->seen + 1 : TRUSTED;
		return CAIRN_OK;
	}
	CRN_TRY(make_room(c, err));
	c->entries[c->n++] = *measured;
	return CAIRN_OK;
}

/* ---- text ---- */

typedef struct rate {
	const char *name;
	size_t at;
} rate;

static const rate rates[] = {
	{"l2_bytes", offsetof(crn_machine, l2_bytes)},
	{"read_one", offsetof(crn_machine, read_one)},
	{"write_one", offsetof(crn_machine, write_one)},
	{"copy_one", offsetof(crn_machine, copy_one)},
	{"read_all", offsetof(crn_machine, read_all)},
	{"write_all", offsetof(crn_machine, write_all)},
	{"copy_all", offsetof(crn_machine, copy_all)},
	{"disk_write", offsetof(crn_machine, disk_write)},
	{"disk_read", offsetof(crn_machine, disk_read)},
};

void crn_costs_print(const crn_costs *c, crn_str *out)
{
	crn_str_append(out, "{\"cairn_machine\": 1, \"cpu\": ");
	crn_json_quote(out, c->machine.cpu);
	crn_str_appendf(out, ", \"cores\": %d, \"rates\": {", c->machine.n_cores);
	for (size_t i = 0; i < CRN_COUNT(rates); i++) {
		crn_str_appendf(out, "%s\"%s\": ", i ? ", " : "", rates[i].name);
		crn_json_double(out, *(const double *)((const char *)&c->machine + rates[i].at));
	}
	crn_str_append(out, "}, \"costs\": [\n");
	for (int i = 0; i < c->n; i++) {
		const crn_cost *e = &c->entries[i];
		crn_str_append(out, i ? ",\n{\"name\": " : "{\"name\": ");
		crn_json_quote(out, e->name);
		crn_str_appendf(out,
			", \"dtype\": \"%s\", \"isa\": \"%s\", \"size_class\": %d, \"ns\": ",
			crn_dtype_name(e->dtype), crn_isa_name(e->isa), e->size_class);
		crn_json_double(out, e->ns);
		crn_str_append(out, ", \"guess\": ");
		crn_json_double(out, e->guess);
		crn_str_appendf(out, ", \"seen\": %lld}", (long long)e->seen);
	}
	crn_str_append(out, "\n]}\n");
}

static double number(const crn_json *v, const char *key)
{
	const crn_json *n = crn_json_get(v, key);
	if (!n || (n->kind != CRN_JSON_DOUBLE && n->kind != CRN_JSON_INT))
		return 0;
	return n->kind == CRN_JSON_INT ? (double)n->i : n->f;
}

static const char *text(const crn_json *v, const char *key)
{
	const crn_json *t = crn_json_get(v, key);
	return t && t->kind == CRN_JSON_STRING ? t->text : "";
}

/* False if the entry is not one we understand. */
static bool parse_entry(const crn_json *v, crn_cost *ret)
{
	crn_cost e = {.ns = number(v, "ns"), .guess = number(v, "guess")};
	const char *isa = text(v, "isa"), *dtype = text(v, "dtype");
	double seen = number(v, "seen"), size_class = number(v, "size_class");
	snprintf(e.name, sizeof(e.name), "%s", text(v, "name"));
	bool known_isa = false, known_dtype = false;
	for (int i = 0; i < CRN_N_ISAS; i++)
		if (strcmp(isa, crn_isa_name((crn_isa)i)) == 0) {
			e.isa = (crn_isa)i;
			known_isa = true;
		}
	for (int d = 0; d < CRN_N_DTYPES; d++)
		if (strcmp(dtype, crn_dtype_name((crn_dtype)d)) == 0) {
			e.dtype = (crn_dtype)d;
			known_dtype = true;
		}
	e.seen = seen >= 1 && seen <= TRUSTED ? (int64_t)seen : 1;
	e.size_class = size_class > -1000 && size_class < 1000 ? (int)size_class : 0;
	*ret = e;
	return known_isa && known_dtype && is_plausible(&e);
}

cairn_status crn_costs_parse(const crn_json *doc, crn_costs *ret, cairn_error *err)
{
	crn_costs c = {0};
	const crn_json *r = crn_json_get(doc, "rates"), *costs = crn_json_get(doc, "costs");
	snprintf(c.machine.cpu, sizeof(c.machine.cpu), "%s", text(doc, "cpu"));
	double cores = number(doc, "cores");
	c.machine.n_cores = cores >= 1 && cores < 1e6 ? (int)cores : 0;
	for (size_t i = 0; i < CRN_COUNT(rates); i++) {
		double v = number(r, rates[i].name);
		*(double *)((char *)&c.machine + rates[i].at) = v > 0 && isfinite(v) ? v : 0;
	}
	for (int i = 0; costs && costs->kind == CRN_JSON_ARRAY && i < costs->n; i++) {
		crn_cost e;
		if (i >= CRN_COSTS_MOST || !parse_entry(&costs->items[i], &e))
			continue;
		cairn_status status = crn_costs_learn(&c, &e, err);
		if (status != CAIRN_OK) {
			crn_costs_done(&c);
			return status;
		}
	}
	*ret = c;
	return CAIRN_OK;
}
