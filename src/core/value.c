/* SPDX-License-Identifier: Apache-2.0
 *
 * value.c -- owning variants and small constant arrays.
 */
#include "core/value.h"

#include "base/mem.h"
#include "core/node.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define CONST_MAX_BYTES ((size_t)16 << 20)

crn_value crn_value_bool(bool b)
{
	return (crn_value){.kind = CRN_V_BOOL, .b = b};
}

crn_value crn_value_int(int64_t i)
{
	return (crn_value){.kind = CRN_V_INT, .i = i};
}

crn_value crn_value_uint(uint64_t u)
{
	return u <= INT64_MAX ? crn_value_int((int64_t)u) : (crn_value){.kind = CRN_V_UINT, .u = u};
}

crn_value crn_value_float(double f)
{
	return (crn_value){.kind = CRN_V_FLOAT, .f = f};
}

crn_value crn_value_node(crn_node *take_node)
{
	return (crn_value){.kind = CRN_V_NODE, .node = take_node};
}

crn_value crn_value_const(crn_const *take_const)
{
	return (crn_value){.kind = CRN_V_CONST, .c = take_const};
}

cairn_status crn_value_str(const char *text, crn_value *ret, cairn_error *err)
{
	char *s = crn_strdup(text);
	if (!s)
		return crn_fail_memory(err, "text", strlen(text));
	*ret = (crn_value){.kind = CRN_V_STR, .s = s};
	return CAIRN_OK;
}

cairn_status crn_value_list(int n, crn_value *ret, cairn_error *err)
{
	crn_value *items = crn_calloc((size_t)n, sizeof(*items));
	if (!items)
		return crn_fail_memory(err, "a list", (size_t)n * sizeof(*items));
	*ret = (crn_value){.kind = CRN_V_LIST, .list = {.items = items, .n = n}};
	return CAIRN_OK;
}

cairn_status crn_value_ints(const int64_t *v, int n, crn_value *ret, cairn_error *err)
{
	CRN_TRY(crn_value_list(n, ret, err));
	for (int i = 0; i < n; i++)
		ret->list.items[i] = crn_value_int(v[i]);
	return CAIRN_OK;
}

cairn_status crn_value_floats(const double *v, int n, crn_value *ret, cairn_error *err)
{
	CRN_TRY(crn_value_list(n, ret, err));
	for (int i = 0; i < n; i++)
		ret->list.items[i] = crn_value_float(v[i]);
	return CAIRN_OK;
}

cairn_status crn_value_copy(const crn_value *v, crn_value *ret, cairn_error *err)
{
	switch (v->kind) {
	case CRN_V_STR:
		return crn_value_str(v->s, ret, err);
	case CRN_V_LIST: {
		CRN_VALUE copy = {0};
		CRN_TRY(crn_value_list(v->list.n, &copy, err));
		for (int i = 0; i < v->list.n; i++)
			CRN_TRY(crn_value_copy(&v->list.items[i], &copy.list.items[i], err));
		*ret = copy;
		copy.kind = CRN_V_NONE;
		return CAIRN_OK;
	}
	case CRN_V_CONST:
		*ret = crn_value_const(crn_const_ref(v->c));
		return CAIRN_OK;
	case CRN_V_NODE:
		*ret = crn_value_node(crn_node_ref(v->node));
		return CAIRN_OK;
	default:
		*ret = *v;
		return CAIRN_OK;
	}
}

void crn_value_clear(crn_value *v)
{
	switch (v->kind) {
	case CRN_V_STR:
		crn_free(v->s);
		break;
	case CRN_V_LIST:
		for (int i = 0; i < v->list.n; i++)
			crn_value_clear(&v->list.items[i]);
		crn_free(v->list.items);
		break;
	case CRN_V_CONST:
		crn_const_unref(v->c);
		break;
	case CRN_V_NODE:
		crn_node_unref(v->node);
		break;
	default:
		break;
	}
	*v = (crn_value){0};
}

bool crn_value_is_number(const crn_value *v)
{
	return v->kind == CRN_V_BOOL || v->kind == CRN_V_INT || v->kind == CRN_V_UINT ||
	       v->kind == CRN_V_FLOAT;
}

double crn_value_to_double(const crn_value *v)
{
	switch (v->kind) {
	case CRN_V_BOOL:
		return v->b;
	case CRN_V_INT:
		return (double)v->i;
	case CRN_V_UINT:
		return (double)v->u;
	default:
		return v->f;
	}
}

bool crn_value_to_elem(const crn_value *v, crn_dtype t, crn_elem *ret)
{
	if (!crn_value_is_number(v))
		return false;
	if (crn_dtype_is_float(t)) {
		*ret = v->kind == CRN_V_INT    ? crn_elem_from_int(t, v->i)
		       : v->kind == CRN_V_UINT ? crn_elem_from_uint(t, v->u)
					       : crn_elem_from_double(t, crn_value_to_double(v));
		return true;
	}
	if (v->kind == CRN_V_FLOAT)
		return false;
	if (v->kind == CRN_V_UINT) {
		*ret = crn_elem_from_uint(t, v->u);
		return v->u <= crn_dtype_max_int(t);
	}
	int64_t i = v->kind == CRN_V_BOOL ? v->b : v->i;
	*ret = crn_elem_from_int(t, i);
	return i >= crn_dtype_min_int(t) && (i < 0 || (uint64_t)i <= crn_dtype_max_int(t));
}

static void hash_const(const crn_const *c, crn_hasher *h)
{
	crn_hash_u64(h, (uint64_t)c->dtype);
	crn_hash_u64(h, (uint64_t)c->ndim);
	for (int d = 0; d < c->ndim; d++)
		crn_hash_u64(h, (uint64_t)c->shape[d]);
	crn_hash_bytes(h, c->data, (size_t)crn_const_count(c) * crn_dtype_size(c->dtype));
}

void crn_value_hash(const crn_value *v, crn_hasher *h)
{
	crn_hash_u64(h, (uint64_t)v->kind);
	switch (v->kind) {
	case CRN_V_NONE:
		break;
	case CRN_V_BOOL:
		crn_hash_u64(h, v->b);
		break;
	case CRN_V_INT:
	case CRN_V_UINT:
		crn_hash_u64(h, v->u);
		break;
	case CRN_V_FLOAT: {
		uint64_t bits;
		memcpy(&bits, &v->f, sizeof(bits));
		crn_hash_u64(h, bits);
		break;
	}
	case CRN_V_STR:
		crn_hash_text(h, v->s);
		break;
	case CRN_V_LIST:
		crn_hash_u64(h, (uint64_t)v->list.n);
		for (int i = 0; i < v->list.n; i++)
			crn_value_hash(&v->list.items[i], h);
		break;
	case CRN_V_CONST:
		hash_const(v->c, h);
		break;
	case CRN_V_NODE:
		crn_hash_u64(h, v->node->hash.hi);
		crn_hash_u64(h, v->node->hash.lo);
		break;
	}
}

static void print_list(const crn_value *v, crn_str *out)
{
	enum { SHOWN = 8 };
	crn_str_append(out, "(");
	for (int i = 0; i < v->list.n && i < SHOWN; i++) {
		crn_str_append(out, i ? ", " : "");
		crn_value_print(&v->list.items[i], out);
	}
	if (v->list.n > SHOWN)
		crn_str_appendf(out, ", ... %d in all", v->list.n);
	crn_str_append(out, v->list.n == 1 ? ",)" : ")");
}

void crn_value_print(const crn_value *v, crn_str *out)
{
	char text[256];
	switch (v->kind) {
	case CRN_V_NONE:
		crn_str_append(out, "None");
		break;
	case CRN_V_BOOL:
		crn_str_append(out, v->b ? "True" : "False");
		break;
	case CRN_V_INT:
		crn_str_appendf(out, "%lld", (long long)v->i);
		break;
	case CRN_V_UINT:
		crn_str_appendf(out, "%llu", (unsigned long long)v->u);
		break;
	case CRN_V_FLOAT:
		crn_elem_format(CRN_F64, crn_elem_from_double(CRN_F64, v->f), text);
		crn_str_append(out, text);
		if (isfinite(v->f) && !strpbrk(text, ".e"))
			crn_str_append(out, ".0");
		break;
	case CRN_V_STR:
		crn_str_appendf(out, "\"%s\"", v->s);
		break;
	case CRN_V_LIST:
		print_list(v, out);
		break;
	case CRN_V_CONST:
		crn_str_appendf(out, "<constant %s (", crn_dtype_name(v->c->dtype));
		for (int d = 0; d < v->c->ndim; d++)
			crn_str_appendf(out, "%s%lld", d ? ", " : "", (long long)v->c->shape[d]);
		crn_str_append(out, ")>");
		break;
	case CRN_V_NODE:
		crn_str_appendf(out, "<%s %s>", v->node->type.is_table ? "table" : "array",
			crn_type_format(&v->node->type, text));
		break;
	}
}

cairn_status crn_const_new(
	crn_dtype dtype, int ndim, const int64_t *shape, crn_const **ret, cairn_error *err)
{
	int64_t count;
	if (ndim < 0 || ndim > CRN_MAX_NDIM || !crn_count(ndim, shape, &count) ||
		count > (int64_t)(CONST_MAX_BYTES / crn_dtype_size(dtype)))
		return crn_fail(err, CAIRN_USAGE,
			"a constant array (structuring element, weights) is limited to %zu MiB",
			CONST_MAX_BYTES >> 20);
	crn_const *c = crn_calloc(1, sizeof(*c));
	void *data = crn_calloc((size_t)count, crn_dtype_size(dtype));
	if (!c || !data) {
		crn_free(c);
		crn_free(data);
		return crn_fail_memory(err, "a constant array", (size_t)count);
	}
	atomic_init(&c->refs, 1);
	c->dtype = dtype;
	c->ndim = ndim;
	c->data = data;
	for (int d = 0; d < ndim; d++)
		c->shape[d] = shape[d];
	*ret = c;
	return CAIRN_OK;
}

crn_const *crn_const_ref(crn_const *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void crn_const_unref(crn_const *c)
{
	if (c && atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1) {
		crn_free(c->data);
		crn_free(c);
	}
}

int64_t crn_const_count(const crn_const *c)
{
	int64_t count = 0;
	(void)crn_count(c->ndim, c->shape, &count);
	return count;
}

crn_view crn_const_view(const crn_const *c)
{
	return crn_view_dense(c->data, c->dtype, c->ndim, c->shape);
}
