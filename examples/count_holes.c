/* SPDX-License-Identifier: Apache-2.0
 *
 * count_holes.c -- the C library in one page: a pipeline text, a run, a value back in memory.
 *
 *	cc count_holes.c $(pkg-config --cflags --libs cairn) -o count-holes
 *	./count-holes data/bone_7H3A_B1.tif
 */
#include <cairn/cairn.h>

#include <stdio.h>

static int complain(const cairn_error *err)
{
	char text[2048];
	cairn_error_format(err, text, sizeof(text));
	fprintf(stderr, "%s\n", text);
	return err->status;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: count-holes VOLUME\n");
		return 2;
	}
	cairn_error err = {0};
	cairn_session *session = NULL;
	cairn_array *volume = NULL, *count = NULL;
	int32_t holes = 0;
	/* Opening reads the header; eval describes; read computes the one number. */
	if (cairn_session_new(&session, &err) != CAIRN_OK ||
		cairn_array_open(session, argv[1], &volume, &err) != CAIRN_OK ||
		cairn_array_eval(session, volume, "label(x == 0).max().astype('int32')", &count,
			&err) != CAIRN_OK ||
		cairn_array_read(count, NULL, NULL, NULL, &holes, sizeof(holes), NULL, &err) !=
			CAIRN_OK)
		return complain(&err);
	printf("%d holes\n", (int)holes);
	cairn_array_free(count);
	cairn_array_free(volume);
	cairn_session_free(session);
	return 0;
}
