/* SPDX-License-Identifier: Apache-2.0
 *
 * stack_names.c -- parsing stack urls, listing folders, natural order. See stack_names.h.
 *
 * A folder is read once; nothing is opened. Memory: the names and 16 bytes a file.
 */
#include "formats/stack_names.h"

#include "base/mem.h"
#include "formats/raw_io.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *last_part(const char *url)
{
	const char *slash = strrchr(url, '/');
	return slash ? slash + 1 : url;
}

static const char *extension(const char *name)
{
	const char *dot = strrchr(name, '.');
	return dot ? dot : "";
}

bool crn_stack_is_image(const char *name)
{
	static const char *const known[] = {".png", ".tif", ".tiff", ".npy"};
	for (size_t i = 0; i < CRN_COUNT(known); i++)
		if (strcasecmp(extension(name), known[i]) == 0)
			return true;
	return false;
}

/* "%d", "%0Nd": length of the conversion at p, 0 if it is none. */
static int conversion(const char *p, int *ret_width)
{
	int n = 1, width = 0;
	if (p[0] != '%')
		return 0;
	if (p[n] == '0')
		for (n++; isdigit((unsigned char)p[n]) && width < 100; n++)
			width = width * 10 + (p[n] - '0');
	if (p[n] != 'd' || width > 18 || (n > 1 && width == 0))
		return 0;
	*ret_width = width;
	return n + 1;
}

bool crn_stack_is_pattern(const char *url)
{
	const char *part = last_part(url);
	int width;
	for (const char *p = part; *p; p++) {
		if (p[0] == '%' && p[1] == '%')
			p++;
		else if (conversion(p, &width))
			return true;
	}
	return strpbrk(part, "*?[") != NULL;
}

static cairn_status bad_pattern(const char *url, cairn_error *err)
{
	crn_fail(err, CAIRN_USAGE, "%s: a pattern needs exactly one %%d or %%0Nd in its last part",
		url);
	crn_hint(err, "for example slices/img.%%05d.png; a percent sign is written %%%%");
	return CAIRN_USAGE;
}

static cairn_status parse_pattern(
	const char *url, const char *part, crn_stack_pattern *p, cairn_error *err)
{
	CRN_STR prefix = {0};
	CRN_STR suffix = {0};
	int found = 0;
	for (const char *c = part; *c;) {
		int width, n = conversion(c, &width);
		if (n > 0) {
			p->width = width;
			found++;
			c += n;
			continue;
		}
		if (c[0] == '%' && c[1] != '%')
			return bad_pattern(url, err);
		crn_str_append_n(found ? &suffix : &prefix, c, 1);
		c += c[0] == '%' ? 2 : 1;
	}
	if (found != 1)
		return bad_pattern(url, err);
	p->prefix = crn_str_take(&prefix);
	p->suffix = crn_str_take(&suffix);
	return CAIRN_OK;
}

cairn_status crn_stack_parse(const char *url, bool is_dir, crn_stack_pattern *ret, cairn_error *err)
{
	const char *path = crn_file_path(url), *part = last_part(path);
	crn_stack_pattern p = {.kind = CRN_STACK_FOLDER};
	cairn_status status = CAIRN_OK;
	if (is_dir) {
		p.dir = crn_strdup(path);
	} else {
		p.kind = strpbrk(part, "*?[") ? CRN_STACK_GLOB : CRN_STACK_PATTERN;
		size_t n = (size_t)(part - path);
		p.dir = n == 0 ? crn_strdup(".") : crn_strndup(path, n > 1 ? n - 1 : 1);
	}
	if (p.kind == CRN_STACK_PATTERN)
		status = parse_pattern(url, part, &p, err);
	else
		p.prefix = crn_strdup(is_dir ? "" : part);
	if (p.kind != CRN_STACK_PATTERN)
		p.suffix = crn_strdup("");
	if (status == CAIRN_OK && (!p.dir || !p.prefix || !p.suffix))
		status = crn_fail_memory(err, "a file name", strlen(url));
	if (status != CAIRN_OK)
		crn_stack_pattern_done(&p);
	else
		*ret = p;
	return status;
}

void crn_stack_pattern_done(crn_stack_pattern *p)
{
	crn_free(p->dir);
	crn_free(p->prefix);
	crn_free(p->suffix);
	*p = (crn_stack_pattern){0};
}

void crn_stack_name(const crn_stack_pattern *p, int64_t number, crn_str *out)
{
	crn_str_append(out, p->prefix);
	crn_str_appendf(out, "%0*lld", p->width > 0 ? p->width : 1, (long long)number);
	crn_str_append(out, p->suffix);
}

int crn_stack_compare(const char *a, const char *b)
{
	const char *first_a = a, *first_b = b;
	while (*a && *b) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			a += strspn(a, "0");
			b += strspn(b, "0");
			size_t na = strspn(a, "0123456789"), nb = strspn(b, "0123456789");
			if (na != nb)
				return na < nb ? -1 : 1;
			int order = memcmp(a, b, na);
			if (order)
				return order;
			a += na;
			b += nb;
		} else {
			if (*a != *b)
				return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
			a++;
			b++;
		}
	}
	if (*a || *b)
		return *a ? 1 : -1;
	return strcmp(first_a, first_b); /* they differ in leading zeros only */
}

/* Digits of [text, text + n) as a number; -1 if there are none or too many. */
static int64_t number_of(const char *text, size_t n)
{
	int64_t v = 0;
	for (size_t i = 0; i < n; i++)
		if (__builtin_mul_overflow(v, 10, &v) ||
			__builtin_add_overflow(v, text[i] - '0', &v))
			return -1;
	return n > 0 ? v : -1;
}

/* Does a name match, and which number does it carry? */
static bool matches(const crn_stack_pattern *p, const char *name, int64_t *ret_number)
{
	*ret_number = -1;
	if (p->kind == CRN_STACK_FOLDER)
		return name[0] != '.' && crn_stack_is_image(name);
	if (p->kind == CRN_STACK_GLOB)
		return fnmatch(p->prefix, name, FNM_PERIOD) == 0;
	size_t n = strlen(name), before = strlen(p->prefix), after = strlen(p->suffix);
	if (n <= before + after || memcmp(name, p->prefix, before) != 0 ||
		strcmp(name + n - after, p->suffix) != 0)
		return false;
	const char *digits = name + before;
	n -= before + after;
	if (strspn(digits, "0123456789") < n)
		return false;
	if (p->width > 0 && (n < (size_t)p->width || (n > (size_t)p->width && digits[0] == '0')))
		return false;
	*ret_number = number_of(digits, n);
	return *ret_number >= 0;
}

static cairn_status add_name(crn_stack_list *l, const char *name, int64_t number, cairn_error *err)
{
	if (l->n == l->cap) {
		int64_t cap = l->cap ? 2 * l->cap : 64;
		crn_stack_file *grown = crn_realloc_array(l->files, (size_t)cap, sizeof *l->files);
		if (!grown)
			return crn_fail_memory(
				err, "a list of files", (size_t)cap * sizeof *l->files);
		l->files = grown;
		l->cap = cap;
	}
	l->files[l->n++] = (crn_stack_file){(uint32_t)l->names.len, number};
	crn_str_append_n(&l->names, name, strlen(name) + 1);
	if (l->names.oom || l->names.len > UINT32_MAX)
		return crn_fail_memory(err, "a list of files", l->names.len);
	return CAIRN_OK;
}

static int by_name(const void *a, const void *b, void *names)
{
	const crn_stack_file *x = a, *y = b;
	return crn_stack_compare((char *)names + x->name, (char *)names + y->name);
}

/* The part of a name that counts: its last run of digits before the extension. */
static void counter(const char *name, size_t *ret_at, size_t *ret_n)
{
	size_t end = (size_t)(extension(name) - name);
	if (!*extension(name))
		end = strlen(name);
	while (end > 0 && !isdigit((unsigned char)name[end - 1]))
		end--;
	size_t at = end;
	while (at > 0 && isdigit((unsigned char)name[at - 1]))
		at--;
	*ret_at = at;
	*ret_n = end - at;
}

/* GLOB, FOLDER: numbers, if all names differ in their counter only. */
static void number_files(crn_stack_list *l)
{
	size_t at0 = 0, n0 = 0;
	for (int64_t i = 0; i < l->n; i++) {
		const char *name = crn_stack_file_name(l, i), *first = crn_stack_file_name(l, 0);
		size_t at, n;
		counter(name, &at, &n);
		if (i == 0) {
			at0 = at;
			n0 = n;
		}
		int64_t number = number_of(name + at, n);
		if (number < 0 || at != at0 || memcmp(name, first, at) != 0 ||
			strcmp(name + at + n, first + at0 + n0) != 0) {
			for (int64_t j = 0; j < l->n; j++)
				l->files[j].number = -1;
			return;
		}
		l->files[i].number = number;
	}
	l->numbered = l->n > 0;
}

static cairn_status one_kind(const crn_stack_pattern *p, const crn_stack_list *l, cairn_error *err)
{
	for (int64_t i = 1; i < l->n; i++) {
		const char *a = crn_stack_file_name(l, 0), *b = crn_stack_file_name(l, i);
		if (strcmp(extension(a), extension(b)) == 0)
			continue;
		crn_fail(err, CAIRN_INPUT, "%s holds images of different kinds: %s and %s", p->dir,
			a, b);
		crn_hint(err, "choose with a glob: %s/*%s", p->dir, extension(a));
		return CAIRN_INPUT;
	}
	return CAIRN_OK;
}

static cairn_status read_folder(const crn_stack_pattern *p, crn_stack_list *l, cairn_error *err)
{
	DIR *dir = opendir(p->dir);
	if (!dir)
		return crn_fail_errno(err, CAIRN_INPUT, "cannot open folder", p->dir);
	cairn_status status = CAIRN_OK;
	struct dirent *entry;
	while (status == CAIRN_OK && (errno = 0, entry = readdir(dir))) {
		int64_t number;
		if (entry->d_type == DT_DIR)
			continue;
		if (matches(p, entry->d_name, &number))
			status = add_name(l, entry->d_name, number, err);
		else if (entry->d_name[0] != '.')
			l->ignored++;
	}
	if (status == CAIRN_OK && errno != 0)
		status = crn_fail_errno(err, CAIRN_INPUT, "cannot list folder", p->dir);
	closedir(dir);
	return status;
}

cairn_status crn_stack_find(const crn_stack_pattern *p, crn_stack_list *ret, cairn_error *err)
{
	crn_stack_list l = {0};
	cairn_status status = read_folder(p, &l, err);
	if (status == CAIRN_OK && l.n > 0) {
		qsort_r(l.files, (size_t)l.n, sizeof *l.files, by_name, l.names.data);
		if (p->kind == CRN_STACK_PATTERN)
			l.numbered = true;
		else
			number_files(&l);
		if (p->kind == CRN_STACK_FOLDER)
			status = one_kind(p, &l, err);
	}
	if (status != CAIRN_OK)
		crn_stack_list_done(&l);
	else
		*ret = l;
	return status;
}

void crn_stack_list_done(crn_stack_list *l)
{
	crn_str_done(&l->names);
	crn_free(l->files);
	*l = (crn_stack_list){0};
}
