/* SPDX-License-Identifier: Apache-2.0
 *
 * path.c -- folders: making them with their parents, removing whole trees. Any thread.
 */
#include "base/path.h"

#include "base/disk.h"
#include "base/mem.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

cairn_status crn_make_folders(const char *path, cairn_error *err)
{
	CRN_FREE char *copy = crn_strdup(path);
	if (!copy)
		return crn_fail_memory(err, "a file name", strlen(path));
	for (char *p = copy + 1;; p++) {
		if (*p != '/' && *p != 0)
			continue;
		char kept = *p;
		*p = 0;
		if (*copy && !crn_disk_make_folder(copy))
			return crn_fail_errno(err, CAIRN_FAILED, "cannot create folder", copy);
		*p = kept;
		if (!kept)
			return CAIRN_OK;
	}
}

cairn_status crn_make_parent(const char *file_path, cairn_error *err)
{
	const char *slash = strrchr(file_path, '/');
	if (!slash || slash == file_path)
		return CAIRN_OK;
	CRN_FREE char *folder = crn_strndup(file_path, (size_t)(slash - file_path));
	if (!folder)
		return crn_fail_memory(err, "a file name", strlen(file_path));
	return crn_make_folders(folder, err);
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

cairn_status crn_remove_tree(const char *path, cairn_error *err)
{
	enum { MOST_OPEN_FOLDERS = 16 };
	struct stat st;
	if (lstat(path, &st) != 0)
		return CAIRN_OK;
	if (nftw(path, remove_entry, MOST_OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) != 0)
		return crn_fail_errno(err, CAIRN_FAILED, "removing", path);
	return CAIRN_OK;
}
