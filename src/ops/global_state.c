/* SPDX-License-Identifier: Apache-2.0
 *
 * global_state.c -- memory and scratch of global ops' states. See global_state.h.
 */
#include "ops/global_state.h"

#include "base/mem.h"

#include <string.h>

cairn_status crn_charged_alloc(const crn_env *env, const char *what, size_t n, size_t item_bytes,
	void *ret, cairn_error *err)
{
	size_t bytes;
	if (!crn_mul_size(n, item_bytes, &bytes) || bytes > INT64_MAX)
		return crn_fail_memory(err, what, SIZE_MAX);
	CRN_TRY(env->charge(env->engine, (int64_t)bytes, err));
	void *p = crn_calloc(n ? n : 1, item_bytes);
	if (!p) {
		(void)!env->charge(env->engine, -(int64_t)bytes, NULL);
		return crn_fail_memory(err, what, bytes);
	}
	memcpy(ret, &p, sizeof(p));
	return CAIRN_OK;
}

void crn_charged_free(const crn_env *env, void *pp, size_t n, size_t item_bytes)
{
	void *p;
	memcpy(&p, pp, sizeof(p));
	if (!p)
		return;
	crn_free(p);
	(void)!env->charge(env->engine, -(int64_t)(n * item_bytes), NULL);
	memset(pp, 0, sizeof(p));
}

void crn_need_nothing(const crn_node *n, int input, const crn_region *out, crn_need *ret)
{
	(void)out;
	*ret = (crn_need){.region = {.ndim = n->in[input]->type.ndim}};
	for (int d = 0; d < ret->region.ndim; d++)
		ret->region.step[d] = 1;
}

cairn_status crn_window_get(crn_window *w, uint64_t offset, size_t n, uint64_t useful,
	const void **ret, cairn_error *err)
{
	bool inside = offset >= w->at && offset - w->at + n <= w->n && (offset - w->at) % 8 == 0;
	if (!inside) {
		size_t k = useful < w->cap ? (size_t)useful : w->cap;
		k = k < n ? n : k;
		w->n = 0;
		CRN_TRY(w->env->unspill(w->env->engine, offset, w->data, k, err));
		w->at = offset;
		w->n = k;
	}
	*ret = w->data + (offset - w->at);
	return CAIRN_OK;
}
