/* SPDX-License-Identifier: Apache-2.0
 *
 * table_csv.c -- tables as CSV (RFC 4180): a header line, one line a row, exact numbers.
 *
 * Rows go to a temporary file in the same folder, which takes the place of the output in one
 * rename when all are there; appending copies the old file first. A crash leaves the old state.
 * Numbers are the shortest digits that read back exactly; nan, inf and booleans as Python prints
 * them.
 */
#include "base/disk.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "results/table_cells.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct csv_writer {
	crn_table_writer base;
	crn_table_texts texts;
	char *temporary;
	int fd;         /* -1: none */
	crn_str buffer; /* rows on their way to the file */
	crn_hasher hash;
	uint64_t n_bytes;
	bool sync;
	const crn_column *columns;
	int n_columns;
} csv_writer;

static bool csv_exists(const char *path, const char *table)
{
	return access(path, F_OK) == 0;
}

static void put_text(crn_str *line, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		crn_str_append(line, text);
		return;
	}
	crn_str_append(line, "\"");
	for (; *text; text++)
		crn_str_append_n(line, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
	crn_str_append(line, "\"");
}

enum { BUFFER_BYTES = 64 << 10 };

static cairn_status flush(csv_writer *w, cairn_error *err)
{
	if (!crn_disk_write(w->fd, w->texts.path, w->buffer.data, w->buffer.len))
		return crn_fail_errno(err, CAIRN_FAILED, "writing", w->texts.path);
	crn_hash_bytes(&w->hash, w->buffer.data, w->buffer.len);
	w->n_bytes += w->buffer.len;
	crn_str_clear(&w->buffer);
	return CAIRN_OK;
}

static cairn_status put(csv_writer *w, const char *text, size_t n, cairn_error *err)
{
	crn_str_append_n(&w->buffer, text, n);
	if (w->buffer.oom)
		return crn_fail_memory(err, "rows", n);
	return w->buffer.len < BUFFER_BYTES ? CAIRN_OK : flush(w, err);
}

static cairn_status put_line(csv_writer *w, const crn_str *line, cairn_error *err)
{
	return line->oom ? crn_fail_memory(err, "a row", line->len)
			 : put(w, line->data, line->len, err);
}

/* Copies the old file behind the header check; a last line without a newline gets one. */
static cairn_status copy_old(csv_writer *w, const crn_str *header, cairn_error *err)
{
	FILE *old = fopen(w->texts.path, "rb");
	if (!old)
		return crn_fail_errno(err, CAIRN_INPUT, "opening", w->texts.path);
	CRN_FREE char *first = crn_calloc(header->len + 1, 1);
	cairn_status status = CAIRN_OK;
	size_t n = first ? fread(first, 1, header->len, old) : 0;
	if (!first)
		status = crn_fail_memory(err, "a header", header->len);
	else if (n != header->len || memcmp(first, header->data, n) != 0) {
		status = crn_fail(err, CAIRN_EXISTS, "%s has other columns than the rows to append",
			w->texts.path);
		crn_hint(err, "write to another file");
	}
	char block[4096], last = '\n';
	if (status == CAIRN_OK)
		status = put_line(w, header, err);
	while (status == CAIRN_OK && (n = fread(block, 1, sizeof(block), old)) > 0) {
		last = block[n - 1];
		status = put(w, block, n, err);
	}
	if (status == CAIRN_OK && ferror(old))
		status = crn_fail_errno(err, CAIRN_INPUT, "reading", w->texts.path);
	if (status == CAIRN_OK && last != '\n')
		status = put(w, "\r\n", 2, err);
	fclose(old);
	return status;
}

static cairn_status csv_begin(
	crn_table_writer *base, const crn_column *columns, int n_columns, cairn_error *err)
{
	csv_writer *w = (csv_writer *)base;
	w->columns = columns;
	w->n_columns = n_columns;
	/* Under the lock of the output nobody else writes it: what a killed run left is in the way.
	 */
	unlink(w->temporary);
	w->fd = crn_disk_open(w->temporary, O_WRONLY | O_CREAT | O_EXCL);
	if (w->fd < 0)
		return crn_fail_errno(
			err, CAIRN_FAILED, "creating a temporary file for", w->texts.path);
	CRN_STR line = {0};
	for (int i = 0; i < w->texts.n_constants + n_columns; i++) {
		crn_str_append(&line, i ? "," : "");
		put_text(&line, i < w->texts.n_constants ? w->texts.names[i]
							 : columns[i - w->texts.n_constants].name);
	}
	crn_str_append(&line, "\r\n");
	if (w->texts.append && csv_exists(w->texts.path, NULL) && !line.oom)
		return copy_old(w, &line, err);
	return put_line(w, &line, err);
}

static cairn_status csv_append(
	crn_table_writer *base, int64_t n_rows, const void *const *columns, cairn_error *err)
{
	csv_writer *w = (csv_writer *)base;
	CRN_STR line = {0};
	char text[40];
	for (int64_t row = 0; row < n_rows; row++) {
		crn_str_clear(&line);
		for (int i = 0; i < w->texts.n_constants; i++) {
			crn_str_append(&line, i ? "," : "");
			put_text(&line, w->texts.values[i]);
		}
		for (int c = 0; c < w->n_columns; c++) {
			crn_str_append(&line, w->texts.n_constants || c ? "," : "");
			crn_str_append(&line,
				crn_elem_format(w->columns[c].dtype,
					crn_table_cell(&w->columns[c], columns[c], row), text));
		}
		crn_str_append(&line, "\r\n");
		CRN_TRY(put_line(w, &line, err));
	}
	return CAIRN_OK;
}

static void print_proof(crn_str *out, uint64_t n_bytes, const crn_hasher *h)
{
	char hex[33];
	crn_str_appendf(out, "%llu bytes %s", (unsigned long long)n_bytes,
		crn_hash_hex(crn_hasher_result(h), hex));
}

static cairn_status csv_prove(crn_table_writer *base, crn_str *ret, cairn_error *err)
{
	csv_writer *w = (csv_writer *)base;
	CRN_TRY(flush(w, err));
	print_proof(ret, w->n_bytes, &w->hash);
	return ret->oom ? crn_fail_memory(err, "a proof", 64) : CAIRN_OK;
}

static bool csv_is_proven(const char *path, const char *table, const char *proof)
{
	CRN_STR found = {0};
	char block[4096];
	crn_hasher h;
	uint64_t n_bytes = 0;
	size_t n;
	FILE *f = fopen(path, "rbe");
	(void)table;
	if (!f)
		return false;
	crn_hasher_init(&h);
	while ((n = fread(block, 1, sizeof(block), f)) > 0) {
		crn_hash_bytes(&h, block, n);
		n_bytes += n;
	}
	bool read = !ferror(f);
	fclose(f);
	print_proof(&found, n_bytes, &h);
	return read && !found.oom && strcmp(found.data, proof) == 0;
}

static cairn_status csv_finish(crn_table_writer *base, cairn_error *err)
{
	csv_writer *w = (csv_writer *)base;
	CRN_TRY(flush(w, err));
	if (w->sync && !crn_disk_sync(w->fd, w->texts.path))
		return crn_fail_errno(err, CAIRN_FAILED, "syncing", w->texts.path);
	bool closed = crn_disk_close(w->fd, w->texts.path);
	w->fd = -1;
	if (!closed)
		return crn_fail_errno(err, CAIRN_FAILED, "closing", w->texts.path);
	if (!w->texts.append && !w->texts.replace && csv_exists(w->texts.path, NULL))
		return crn_fail(err, CAIRN_EXISTS, "%s exists", w->texts.path);
	if (!crn_disk_rename(w->temporary, w->texts.path))
		return crn_fail_errno(err, CAIRN_FAILED, "renaming a file to", w->texts.path);
	crn_free(w->temporary);
	w->temporary = NULL;
	if (w->sync && !crn_disk_sync_folder(w->texts.path))
		return crn_fail_errno(err, CAIRN_FAILED, "syncing the folder of", w->texts.path);
	return CAIRN_OK;
}

static void csv_close(crn_table_writer *base)
{
	csv_writer *w = (csv_writer *)base;
	if (!w)
		return;
	if (w->fd >= 0)
		close(w->fd);
	crn_str_done(&w->buffer);
	if (w->temporary)
		unlink(w->temporary);
	crn_free(w->temporary);
	crn_table_texts_done(&w->texts);
	crn_free(w);
}

static cairn_status csv_create(
	const crn_table_request *req, crn_table_writer **ret, cairn_error *err)
{
	csv_writer *w = crn_calloc(1, sizeof(*w));
	if (!w)
		return crn_fail_memory(err, "a table", sizeof(*w));
	w->base = (crn_table_writer){.begin = csv_begin,
		.append = csv_append,
		.prove = csv_prove,
		.finish = csv_finish,
		.close = csv_close};
	w->fd = -1;
	crn_hasher_init(&w->hash);
	w->sync = req->sync;
	cairn_status status = crn_table_texts_init(req, &w->texts, err);
	if (status == CAIRN_OK && !(w->temporary = crn_table_sibling(req->path, "partial")))
		status = crn_fail_memory(err, "a table", sizeof(*w));
	if (status == CAIRN_OK && !w->texts.append && !w->texts.replace &&
		csv_exists(req->path, NULL))
		status = crn_fail(err, CAIRN_EXISTS, "%s exists", req->path);
	if (status != CAIRN_OK) {
		csv_close(&w->base);
		return status;
	}
	*ret = &w->base;
	return CAIRN_OK;
}

static const char *const csv_suffixes[] = {".csv", NULL};

const crn_table_format crn_table_format_csv = {
	.name = "csv",
	.summary = "comma-separated values (RFC 4180)",
	.suffixes = csv_suffixes,
	.create = csv_create,
	.exists = csv_exists,
	.is_proven = csv_is_proven,
};
