/* SPDX-License-Identifier: Apache-2.0
 *
 * path_clash.c -- see path_clash.h.
 *
 *	"file:///data/new/../in.npy" ── the part that exists, resolved ──> /data/in.npy
 *	"slices/img.%05d.png"	     ── folder resolved, name as pattern ─> /data/slices,
 *"img.*.png"
 *
 * Two patterns meet when some name fits both; a glob's ? and [...] count as * (rather one refusal
 * too many than an input overwritten).
 */
#include "exec/path_clash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 512 };

typedef struct place {
	char folder[PATH_MAX]; /* resolved */
	char name[NAME_BYTES]; /* last part; * stands for any text when `any` */
	char path[PATH_MAX];   /* resolved whole, when the name is no pattern */
	bool any;
} place;

const char *crn_url_path(const char *url)
{
	return strncmp(url, "file://", 7) == 0 ? url + 7 : url;
}

/* Appends one part of a path that does not exist; "." and ".." by name. */
static bool append_part(char out[PATH_MAX], const char *part, size_t n)
{
	size_t len = strlen(out);
	if (n == 0 || (n == 1 && part[0] == '.'))
		return true;
	if (n == 2 && part[0] == '.' && part[1] == '.') {
		char *slash = strrchr(out, '/');
		slash[slash == out] = '\0';
		return true;
	}
	if (len + n + 2 > PATH_MAX)
		return false;
	snprintf(out + len, PATH_MAX - len, "%s%.*s", len > 1 ? "/" : "", (int)n, part);
	return true;
}

/* realpath() that also takes what does not exist yet: the longest part that does is resolved. Parts
 * after a missing one are joined by name, and looked at again, so that "missing/../link" is found.
 */
static bool resolve(const char *path, char out[PATH_MAX])
{
	char joined[PATH_MAX];
	if (!realpath(path[0] == '/' ? "/" : ".", out))
		return false;
	while (*path) {
		size_t n = strcspn(path, "/");
		if (!append_part(out, path, n))
			return false;
		if (realpath(out, joined))
			memcpy(out, joined, sizeof(joined));
		path += n + (path[n] == '/');
	}
	return true;
}

bool crn_path_resolve(const char *url, char ret[PATH_MAX])
{
	return resolve(crn_url_path(url), ret);
}

/* "img.%05d.png" and "img.*.png" become "img.*.png"; false for a plain name. */
static bool star_name(const char *name, char out[NAME_BYTES])
{
	bool any = false;
	size_t n = 0;
	for (const char *p = name; *p && n + 1 < NAME_BYTES; p++) {
		if (*p == '%') {
			size_t digits = strspn(p + 1, "0123456789");
			if (p[1 + digits] == 'd') {
				out[n++] = '*';
				p += 1 + digits;
				any = true;
				continue;
			}
			p += p[1] == '%';
		} else if (*p == '*' || *p == '?' || *p == '[') {
			const char *end = *p == '[' ? strchr(p + 1, ']') : NULL;
			out[n++] = '*';
			p = end ? end : p;
			any = true;
			continue;
		}
		out[n++] = *p;
	}
	out[n] = '\0';
	return any;
}

static bool place_of(const char *url, place *ret)
{
	const char *path = crn_url_path(url), *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	ret->any = star_name(slash ? slash + 1 : path, ret->name);
	int n = slash ? (int)(slash - path) + 1 : 0;
	if (snprintf(folder, sizeof(folder), "%.*s", n, path) >= PATH_MAX)
		return false;
	if (!resolve(path, ret->path))
		return false;
	if (ret->any)
		return resolve(folder, ret->folder);
	/* A link's own name does not matter: what is written and read is where it leads. */
	char *last = strrchr(ret->path, '/');
	snprintf(ret->folder, sizeof(ret->folder), "%.*s",
		last == ret->path ? 1 : (int)(last - ret->path), ret->path);
	snprintf(ret->name, sizeof(ret->name), "%s", last + 1);
	return true;
}

/* Is there a text that fits both patterns? row[j]: a's first i characters and b's first j have one.
 */
static bool names_meet(const char *a, const char *b)
{
	bool row[NAME_BYTES + 1] = {true}, above[NAME_BYTES + 1];
	size_t n_b = strlen(b);
	for (size_t j = 0; j < n_b; j++)
		row[j + 1] = row[j] && b[j] == '*';
	for (; *a; a++) {
		memcpy(above, row, sizeof(row));
		row[0] = above[0] && *a == '*';
		for (size_t j = 0; j < n_b; j++)
			row[j + 1] = *a == '*' || b[j] == '*' ? above[j + 1] || row[j] || above[j]
							      : *a == b[j] && above[j];
	}
	return row[n_b];
}

/* a is b, or a folder above b. */
static bool covers(const char *a, const char *b)
{
	size_t n = strlen(a);
	return strncmp(a, b, n) == 0 && (b[n] == '\0' || b[n] == '/' || n == 1);
}

crn_clash crn_path_clash(const char *a, const char *b)
{
	place p, q;
	if (!place_of(a, &p) || !place_of(b, &q))
		return CRN_CLASH_NONE;
	if (strcmp(p.path, q.path) == 0)
		return CRN_CLASH_SAME; /* the same pattern too */
	const char *p_is = p.any ? p.folder : p.path, *q_is = q.any ? q.folder : q.path;
	if (p.any != q.any && covers(p.any ? q_is : p_is, p.any ? p_is : q_is))
		return CRN_CLASH_SAME; /* slices inside a folder that is the other place */
	if (!p.any && !q.any)
		return covers(p_is, q_is) || covers(q_is, p_is) ? CRN_CLASH_SAME : CRN_CLASH_NONE;
	if (strcmp(p.folder, q.folder) == 0 && names_meet(p.name, q.name))
		return CRN_CLASH_NAMES;
	return CRN_CLASH_NONE;
}
