/* SPDX-License-Identifier: Apache-2.0
 *
 * name_list.c -- see name_list.h. Confined to its owner.
 */
#include "stores/name_list.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

cairn_status crn_name_list_add(
	crn_name_list *l, const char *name, size_t n_name, bool is_prefix, cairn_error *err)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 32;
		crn_listed *items = crn_realloc_array(l->items, cap, sizeof(*items));
		if (!items)
			return crn_fail_memory(err, "a list of names", cap * sizeof(*items));
		l->items = items;
		l->cap = cap;
	}
	char *copy = crn_strndup(name, n_name);
	if (!copy)
		return crn_fail_memory(err, "a name", n_name);
	l->items[l->n++] = (crn_listed){copy, is_prefix};
	return CAIRN_OK;
}

static int compare(const void *a, const void *b)
{
	const crn_listed *x = a, *y = b;
	int c = strcmp(x->name, y->name);
	return c ? c : (int)y->is_prefix - (int)x->is_prefix;
}

void crn_name_list_visit(crn_name_list *l, crn_list_fn visit, void *user)
{
	if (l->n > 0)
		qsort(l->items, l->n, sizeof(*l->items), compare);
	for (size_t i = 0; i < l->n; i++)
		if (i == 0 || strcmp(l->items[i].name, l->items[i - 1].name) != 0)
			if (!visit(user, l->items[i].name, l->items[i].is_prefix))
				return;
}

void crn_name_list_done(crn_name_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		crn_free(l->items[i].name);
	crn_free(l->items);
	*l = (crn_name_list){0};
}
