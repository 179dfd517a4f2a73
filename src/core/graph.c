/* SPDX-License-Identifier: Apache-2.0
 *
 * graph.c -- the table of nodes: hash-consing, reference counts, types.
 *
 *	crn_node_new(op, args)
 *	   hash(op, semver, args) ── in the table? ── yes: take a reference
 *				└── no: infer the type, add
 *
 * Invariants: see node.h. The table is open addressing over node pointers and owns no references:
 * a node takes itself out when its last reference goes.
 * Threads: one lock (rank GRAPH) around table look-ups and the last unref. infer runs outside it;
 * two threads that make the same node at once both infer, and one result is dropped.
 */
#include "core/node.h"

#include "base/mem.h"
#include "base/thread.h"
#include "core/format.h"
#include "core/op.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct crn_graph {
	_Atomic int refs; /* the creator's and one per node */
	const crn_registry *registry;
	crn_mutex lock;
	crn_node **slots; /* lock; size is a power of two, NULL is free */
	size_t n_slots, n_nodes;
	char *origin; /* confined to the building thread */
};

cairn_status crn_graph_new(const crn_registry *registry, crn_graph **ret, cairn_error *err)
{
	enum { FIRST_SLOTS = 256 };
	crn_graph *g = crn_calloc(1, sizeof(*g));
	crn_node **slots = crn_calloc(FIRST_SLOTS, sizeof(crn_node *));
	if (!g || !slots) {
		crn_free(g);
		crn_free(slots);
		return crn_fail_memory(err, "a graph", sizeof(*g));
	}
	atomic_init(&g->refs, 1);
	g->registry = registry;
	g->slots = slots;
	g->n_slots = FIRST_SLOTS;
	crn_mutex_init(&g->lock, CRN_RANK_GRAPH);
	*ret = g;
	return CAIRN_OK;
}

void crn_graph_unref(crn_graph *g)
{
	if (!g || atomic_fetch_sub_explicit(&g->refs, 1, memory_order_acq_rel) != 1)
		return;
	assert(g->n_nodes == 0); /* every node holds a reference */
	crn_mutex_done(&g->lock);
	crn_free(g->slots);
	crn_free(g->origin);
	crn_free(g);
}

const crn_registry *crn_graph_registry(const crn_graph *g)
{
	return g->registry;
}

void crn_graph_set_origin(crn_graph *g, const char *text)
{
	crn_free(g->origin);
	g->origin = text ? crn_strdup(text) : NULL;
}

/* ---- types ---- */

crn_type crn_type_make(crn_dtype dtype, int ndim, const int64_t *shape)
{
	crn_type t = {.dtype = dtype, .ndim = ndim, .kind = CRN_INTENSITY};
	if (dtype == CRN_BOOL)
		t.kind = CRN_MASK;
	for (int d = 0; d < ndim; d++) {
		t.shape[d] = shape[d];
		t.axes[d].scale = 1;
	}
	return t;
}

crn_type crn_type_with_dtype(const crn_type *t, crn_dtype dtype)
{
	crn_type r = *t;
	r.dtype = dtype;
	r.fill = (crn_elem){{0}};
	r.kind = dtype == CRN_BOOL ? CRN_MASK : t->kind == CRN_MASK ? CRN_INTENSITY : t->kind;
	return r;
}

int64_t crn_type_count(const crn_type *t)
{
	int64_t count = 0;
	(void)crn_count(t->ndim, t->shape, &count);
	return count;
}

char *crn_type_format(const crn_type *t, char text[256])
{
	size_t used = (size_t)snprintf(text, 256, "%s (", crn_dtype_name(t->dtype));
	for (int d = 0; d < t->ndim && used < 230; d++)
		used += (size_t)snprintf(
			text + used, 256 - used, "%s%lld", d ? ", " : "", (long long)t->shape[d]);
	snprintf(text + used, 256 - used, t->ndim == 1 ? ",)" : ")");
	return text;
}

static cairn_status check_type(const crn_node *n, cairn_error *err)
{
	int64_t count, bytes;
	if (n->type.ndim < 0 || n->type.ndim > CRN_MAX_NDIM)
		return crn_fail(err, CAIRN_USAGE, "%s: %d axes, the limit is %d", n->op->name,
			n->type.ndim, CRN_MAX_NDIM);
	for (int d = 0; d < n->type.ndim; d++)
		if (n->type.shape[d] < 0)
			return crn_fail(err, CAIRN_USAGE, "%s: negative extent %lld on axis %d",
				n->op->name, (long long)n->type.shape[d], d);
	if (!crn_count(n->type.ndim, n->type.shape, &count) ||
		__builtin_mul_overflow(count, (int64_t)crn_dtype_size(n->type.dtype), &bytes))
		return crn_fail(
			err, CAIRN_USAGE, "%s: the array is larger than 2^63 bytes", n->op->name);
	return CAIRN_OK;
}

/* ---- nodes ---- */

static int count_nodes(const crn_value *v)
{
	if (v->kind == CRN_V_NODE)
		return 1;
	int n = 0;
	if (v->kind == CRN_V_LIST)
		for (int i = 0; i < v->list.n; i++)
			n += count_nodes(&v->list.items[i]);
	return n;
}

static void collect_nodes(const crn_value *v, crn_node **in, int *n)
{
	if (v->kind == CRN_V_NODE)
		in[(*n)++] = v->node;
	if (v->kind == CRN_V_LIST)
		for (int i = 0; i < v->list.n; i++)
			collect_nodes(&v->list.items[i], in, n);
}

/* Frees a node that is not in the table (any more). */
static void node_free(crn_node *n)
{
	for (int i = 0; i < n->n_args; i++)
		crn_value_clear(&n->args[i]);
	crn_free(n->args);
	crn_free(n->in);
	crn_free(n->origin);
	crn_source_close(n->source);
	crn_free(n);
}

static crn_hash node_hash(const crn_node *n)
{
	crn_hasher h;
	crn_hasher_init(&h);
	crn_hash_text(&h, n->op->name);
	crn_hash_u64(&h, (uint64_t)n->op->semver);
	for (int i = 0; i < n->n_args; i++)
		crn_value_hash(&n->args[i], &h);
	if (n->source) {
		crn_hash_u64(&h, n->source->identity.hi);
		crn_hash_u64(&h, n->source->identity.lo);
	}
	return crn_hasher_result(&h);
}

static size_t slot_of(const crn_graph *g, crn_hash hash)
{
	size_t i = (size_t)hash.lo & (g->n_slots - 1);
	while (g->slots[i] && !crn_hash_equal(g->slots[i]->hash, hash))
		i = (i + 1) & (g->n_slots - 1);
	return i;
}

static bool table_grow(crn_graph *g)
{
	if (2 * (g->n_nodes + 1) <= g->n_slots)
		return true;
	crn_graph bigger = {.n_slots = 2 * g->n_slots};
	bigger.slots = crn_calloc(bigger.n_slots, sizeof(crn_node *));
	if (!bigger.slots)
		return false;
	for (size_t i = 0; i < g->n_slots; i++)
		if (g->slots[i])
			bigger.slots[slot_of(&bigger, g->slots[i]->hash)] = g->slots[i];
	crn_free(g->slots);
	g->slots = bigger.slots;
	g->n_slots = bigger.n_slots;
	return true;
}

/* Takes a node out and closes the gap of linear probing. Lock held. */
static void table_remove(crn_graph *g, const crn_node *n)
{
	size_t hole = slot_of(g, n->hash), mask = g->n_slots - 1;
	assert(g->slots[hole] == n);
	g->n_nodes--;
	for (size_t i = (hole + 1) & mask; g->slots[i]; i = (i + 1) & mask) {
		size_t home = (size_t)g->slots[i]->hash.lo & mask;
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			g->slots[hole] = g->slots[i];
			hole = i;
		}
	}
	g->slots[hole] = NULL;
}

/* A live node of this hash with a reference taken, or NULL. A node whose count is already 0 is
 * about to be removed by another thread and does not count as live. Lock held. */
static crn_node *table_find(crn_graph *g, crn_hash hash)
{
	crn_node *n = g->slots[slot_of(g, hash)];
	if (!n)
		return NULL;
	int refs = atomic_load(&n->refs);
	while (refs > 0)
		if (atomic_compare_exchange_weak(&n->refs, &refs, refs + 1))
			return n;
	return NULL;
}

static cairn_status node_prepare(crn_graph *g, const crn_op *op, const crn_value *args,
	crn_source *source, crn_node **ret, cairn_error *err)
{
	int n_args = 0, n_in = 0;
	while (op->params && op->params[n_args].type != CRN_P_END)
		n_in += count_nodes(&args[n_args++]);
	crn_node *n = crn_calloc(1, sizeof(*n));
	if (!n) {
		crn_source_close(source);
		return crn_fail_memory(err, "a node", sizeof(*n));
	}
	n->source = source;
	n->op = op;
	n->graph = g;
	atomic_init(&n->refs, 1);
	n->args = crn_calloc((size_t)n_args, sizeof(crn_value));
	n->in = crn_calloc((size_t)n_in, sizeof(crn_node *));
	n->origin = crn_strdup(g->origin ? g->origin : op->name);
	cairn_status status = CAIRN_OK;
	if (!n->args || !n->in || !n->origin)
		status = crn_fail_memory(err, "a node", sizeof(*n));
	for (int i = 0; i < n_args && status == CAIRN_OK; i++) {
		status = crn_value_copy(&args[i], &n->args[i], err);
		n->n_args = i + 1;
	}
	if (status == CAIRN_OK && n_in > CRN_MAX_INPUTS)
		status = crn_fail(err, CAIRN_USAGE, "%s: %d input arrays, the limit is %d",
			op->name, n_in, CRN_MAX_INPUTS);
	if (status != CAIRN_OK) {
		node_free(n);
		return status;
	}
	for (int i = 0; i < n_args; i++)
		collect_nodes(&n->args[i], n->in, &n->n_in);
	n->hash = node_hash(n);
	*ret = n;
	return CAIRN_OK;
}

cairn_status crn_node_new_source(crn_graph *g, const crn_op *op, const crn_value *args,
	crn_source *take_source, crn_node **ret, cairn_error *err)
{
	crn_node *n = NULL;
	CRN_TRY(node_prepare(g, op, args, take_source, &n, err));
	crn_mutex_lock(&g->lock);
	crn_node *old = table_find(g, n->hash);
	crn_mutex_unlock(&g->lock);
	if (old) {
		node_free(n);
		*ret = old;
		return CAIRN_OK;
	}
	cairn_status status = CAIRN_OK;
	if (n->source)
		n->type = n->source->type;
	else
		status = op->infer(n, &n->type, err);
	if (status == CAIRN_OK)
		status = check_type(n, err);
	if (status != CAIRN_OK) {
		node_free(n);
		return status;
	}
	crn_mutex_lock(&g->lock);
	old = table_find(g, n->hash);
	/* A dying twin may still sit in the slot: this node takes its place, and the twin's last
	 * unref finds itself replaced. So every live node is listed, and two equal ones never live.
	 */
	bool room = !old && table_grow(g);
	if (room) {
		crn_node **slot = &g->slots[slot_of(g, n->hash)];
		g->n_nodes += !*slot;
		*slot = n;
	}
	crn_mutex_unlock(&g->lock);
	if (old) {
		node_free(n);
		*ret = old;
		return CAIRN_OK;
	}
	if (!room) {
		node_free(n);
		return crn_fail_memory(err, "the node table", g->n_slots * sizeof(crn_node *));
	}
	atomic_fetch_add(&g->refs, 1);
	*ret = n;
	return CAIRN_OK;
}

cairn_status crn_node_new(
	crn_graph *g, const crn_op *op, const crn_value *args, crn_node **ret, cairn_error *err)
{
	return crn_node_new_source(g, op, args, NULL, ret, err);
}

crn_node *crn_node_ref(crn_node *n)
{
	atomic_fetch_add_explicit(&n->refs, 1, memory_order_relaxed);
	return n;
}

void crn_node_unref(crn_node *n)
{
	if (!n || atomic_fetch_sub_explicit(&n->refs, 1, memory_order_acq_rel) != 1)
		return;
	crn_graph *g = n->graph;
	crn_mutex_lock(&g->lock);
	if (g->slots[slot_of(g, n->hash)] == n)
		table_remove(g, n);
	crn_mutex_unlock(&g->lock);
	node_free(n);
	crn_graph_unref(g);
}

const crn_value *crn_node_arg(const crn_node *n, const char *name)
{
	for (int i = 0; i < n->n_args; i++)
		if (strcmp(n->op->params[i].name, name) == 0)
			return &n->args[i];
	assert(!"op has no such parameter");
	return NULL;
}
