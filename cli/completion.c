/* SPDX-License-Identifier: Apache-2.0
 *
 * completion.c -- shell completion for bash, zsh and fish, written from the verb tables.
 */
#include "cli/cli.h"

#include <string.h>

/* "a|b|c" as "a b c". */
static void print_choices(const char *values)
{
	for (; *values; values++)
		putchar(*values == '|' ? ' ' : *values);
}

static bool is_choice(const cli_option *o)
{
	return o->values && strchr(o->values, '|');
}

static void bash_verb(const cli_verb *v)
{
	printf("\t%s)\n\t\tcase \"$prev\" in\n", v->name);
	for (int g = 0; v->groups[g]; g++)
		for (const cli_option *o = v->groups[g]; o->name; o++)
			if (is_choice(o)) {
				printf("\t\t--%s) COMPREPLY=($(compgen -W '", o->name);
				print_choices(o->values);
				printf("' -- \"$cur\")); return ;;\n");
			}
	printf("\t\tesac\n\t\twords='");
	for (int g = 0; v->groups[g]; g++)
		for (const cli_option *o = v->groups[g]; o->name; o++)
			printf("--%s ", o->name);
	printf("' ;;\n");
}

static void bash(void)
{
	printf("# bash completion for cairn, made by `cairn generate completion bash`\n"
	       "_cairn()\n{\n\tlocal cur=\"${COMP_WORDS[COMP_CWORD]}\" "
	       "prev=\"${COMP_WORDS[COMP_CWORD-1]}\" words=''\n"
	       "\tCOMPREPLY=()\n\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tCOMPREPLY=($(compgen -W "
	       "'");
	for (const cli_verb *const *v = cli_verbs; *v; v++)
		if (!(*v)->hidden)
			printf("%s ", (*v)->name);
	printf("--help --version' -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase \"${COMP_WORDS[1]}\" "
	       "in\n");
	for (const cli_verb *const *v = cli_verbs; *v; v++)
		if (!(*v)->hidden)
			bash_verb(*v);
	printf("\tesac\n\tcase \"$cur\" in\n\t-*) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) "
	       ";;\n"
	       "\t*)\n\t\tif [ \"${COMP_WORDS[1]}\" = ops ]; then\n"
	       "\t\t\tCOMPREPLY=($(compgen -W \"$(cairn generate names 2>/dev/null)\" -- "
	       "\"$cur\"))\n"
	       "\t\telse\n\t\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n\t\tfi ;;\n\tesac\n}\n"
	       "complete -o filenames -F _cairn cairn\n");
}

/* Texts between single quotes; brackets and colons have a meaning inside zsh's option specs. */
static void quoted(const char *text, const char *special)
{
	for (; *text; text++) {
		if (*text == '\'') {
			fputs("'\\''", stdout);
			continue;
		}
		if (strchr(special, *text))
			putchar('\\');
		putchar(*text);
	}
}

static void zsh_option(const cli_option *o)
{
	printf(" \\\n\t\t\t'*--%s%s[", o->name, o->arg ? "=" : "");
	quoted(o->help, "[]:");
	printf("]");
	if (is_choice(o)) {
		printf(":%s:(", o->arg);
		print_choices(o->values);
		printf(")");
	} else if (o->arg) {
		printf(":%s:%s", o->arg, o->values ? "_files" : " ");
	}
	printf("'");
}

static void zsh(void)
{
	printf("#compdef cairn\n# zsh completion for cairn, made by `cairn generate completion "
	       "zsh`\n"
	       "_cairn()\n{\n\tlocal -a verbs\n\tverbs=(");
	for (const cli_verb *const *v = cli_verbs; *v; v++)
		if (!(*v)->hidden) {
			printf("\n\t\t'%s:", (*v)->name);
			quoted((*v)->summary, ":");
			printf("'");
		}
	printf("\n\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe 'verb' "
	       "verbs\n\t\treturn\n\tfi\n"
	       "\tlocal verb=$words[2]\n\tshift words\n\t(( CURRENT-- ))\n\tcase $verb in\n");
	for (const cli_verb *const *v = cli_verbs; *v; v++) {
		if ((*v)->hidden)
			continue;
		printf("\t%s)\n\t\t_arguments", (*v)->name);
		for (int g = 0; (*v)->groups[g]; g++)
			for (const cli_option *o = (*v)->groups[g]; o->name; o++)
				zsh_option(o);
		printf(" \\\n\t\t\t'*:file:%s' ;;\n",
			strcmp((*v)->name, "ops") == 0 ? "($(cairn generate names))" : "_files");
	}
	printf("\tesac\n}\n_cairn \"$@\"\n");
}

static void fish(void)
{
	printf("# fish completion for cairn, made by `cairn generate completion fish`\n");
	for (const cli_verb *const *v = cli_verbs; *v; v++) {
		if ((*v)->hidden)
			continue;
		printf("complete -c cairn -n __fish_use_subcommand -a %s -d '", (*v)->name);
		quoted((*v)->summary, "");
		printf("'\n");
		for (int g = 0; (*v)->groups[g]; g++)
			for (const cli_option *o = (*v)->groups[g]; o->name; o++) {
				printf("complete -c cairn -n '__fish_seen_subcommand_from %s' -l "
				       "%s",
					(*v)->name, o->name);
				if (o->letter)
					printf(" -s %c", o->letter);
				if (is_choice(o)) {
					printf(" -x -a '");
					print_choices(o->values);
					printf("'");
				} else if (o->arg) {
					printf(" -r");
				}
				printf(" -d '");
				quoted(o->help, "");
				printf("'\n");
			}
	}
	printf("complete -c cairn -n '__fish_seen_subcommand_from ops' -f -a '(cairn generate "
	       "names)'\n");
}

cairn_status cli_write_completion(const char *shell, cairn_error *err)
{
	static const struct {
		const char *name;
		void (*write)(void);
	} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (strcmp(shell, shells[i].name) == 0) {
			shells[i].write();
			return CAIRN_OK;
		}
	return cli_fail(err, CAIRN_USAGE, "completion is for bash, zsh or fish, not %.40s", shell);
}
