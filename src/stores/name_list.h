/* SPDX-License-Identifier: Apache-2.0
 *
 * name_list.h -- a growing list of names, for listings that come out sorted and without repeats.
 */
#ifndef CRN_STORES_NAME_LIST_H
#define CRN_STORES_NAME_LIST_H

#include "core/store.h"

typedef struct crn_listed {
	char *name;
	bool is_prefix;
} crn_listed;

typedef struct crn_name_list {
	crn_listed *items;
	size_t n, cap;
} crn_name_list;

CRN_CHECKED cairn_status crn_name_list_add(
	crn_name_list *l, const char *name, size_t n_name, bool is_prefix, cairn_error *err);
/** Sorts by bytes, drops repeats (a prefix wins over an object), and visits what is left. */
void crn_name_list_visit(crn_name_list *l, crn_list_fn visit, void *user);
void crn_name_list_done(crn_name_list *l);

#endif
