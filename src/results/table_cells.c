/* SPDX-License-Identifier: Apache-2.0
 *
 * table_cells.c -- cells and texts of tables. Plain helpers; any thread.
 */
#include "results/table_cells.h"

#include "base/mem.h"
#include "base/str.h"

#include <string.h>

crn_elem crn_table_cell(const crn_column *column, const void *data, int64_t row)
{
	crn_elem e = {{0}};
	size_t size = crn_dtype_size(column->dtype);
	memcpy(e.bytes, (const char *)data + (size_t)row * size, size);
	return e;
}

cairn_status crn_table_texts_init(
	const crn_table_request *req, crn_table_texts *ret, cairn_error *err)
{
	crn_table_texts t = {.n_constants = req->n_constants};
	t.append = req->on_exists && strcmp(req->on_exists, "append") == 0;
	t.replace = req->on_exists && strcmp(req->on_exists, "replace") == 0;
	t.path = crn_strdup(req->path);
	t.table = crn_strdup(req->table ? req->table : "objects");
	t.names = crn_calloc((size_t)t.n_constants, sizeof(char *));
	t.values = crn_calloc((size_t)t.n_constants, sizeof(char *));
	bool ok = t.path && t.table && t.names && t.values;
	for (int i = 0; ok && i < t.n_constants; i++) {
		t.names[i] = crn_strdup(req->constant_names[i]);
		t.values[i] = crn_strdup(req->constant_values[i]);
		ok = t.names[i] && t.values[i];
	}
	if (!ok) {
		crn_table_texts_done(&t);
		return crn_fail_memory(err, "a table", strlen(req->path));
	}
	*ret = t;
	return CAIRN_OK;
}

void crn_table_texts_done(crn_table_texts *t)
{
	for (int i = 0; i < t->n_constants; i++) {
		if (t->names)
			crn_free(t->names[i]);
		if (t->values)
			crn_free(t->values[i]);
	}
	crn_free(t->names);
	crn_free(t->values);
	crn_free(t->path);
	crn_free(t->table);
	*t = (crn_table_texts){0};
}

char *crn_table_sibling(const char *path, const char *suffix)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	crn_str s = {0};
	crn_str_append_n(&s, path, (size_t)(name - path));
	crn_str_appendf(&s, ".%s.%s", name, suffix);
	return crn_str_take(&s);
}
