# Completion for basewatch in bash; belongs in $PREFIX/share/bash-completion/completions/basewatch, or source it.
#
# Commands and options are read from the program's own --help, so this file never lists one that the installed program
# does not have. What it knows by itself is only how to complete the values. Needs bash 4, and no other package.
# shellcheck shell=bash

# Prints the commands: the first words of the block behind "Commands:".
_basewatch_commands() {
	"$1" --help 2>/dev/null </dev/null | sed -n '/^Commands:/,/^ *$/s/^  \([a-z][a-z-]*\) .*/\1/p'
}

# Prints the options of a command, one in a line: "--quiet", and "--db FILE" for one that takes a value. In the help, a
# single blank is between an option and its value, several are before its description.
_basewatch_options() {
	"$1" "$2" --help 2>/dev/null </dev/null |
		sed -nE 's/^  (-[a-z], )?(--[a-z][a-z-]*)( ([^ ]+))?( .*)?$/\2\3/p'
}

# Prints the candidates for a value, by what the help calls it; fails where file names are wanted.
_basewatch_value() {
	case $1 in
	FILE) return 1 ;;
	LIST) echo 'none stale behind unknown stale,behind stale,unknown behind,unknown stale,behind,unknown' ;;
	OS/ARCH) echo 'linux/amd64 linux/arm64 linux/arm/v7 linux/386 linux/ppc64le linux/riscv64 linux/s390x' ;;
	[[:lower:]]*) echo "${1//|/ }" ;; # in small letters: the words themselves, "table|json"
	esac
}

_basewatch() {
	local program=${COMP_WORDS[0]/#\~/$HOME} cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local verb=${COMP_WORDS[1]} options option value words i

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		compopt +o default
		words="$(_basewatch_commands "$program") --help --version"
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
	fi

	# "--format=json" comes as three words.
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi

	# Behind "--" come operands only.
	for ((i = 2; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -- ]] && return
	done

	options=$(_basewatch_options "$program" "$verb")
	while read -r option value; do
		[[ -n $value && $option == "$prev" ]] || continue
		words=$(_basewatch_value "$value") || return # file names, by the default of readline
		compopt +o default
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
	done <<<"$options"

	if [[ $cur == -* ]]; then
		compopt +o default
		words=$(cut -d ' ' -f 1 <<<"$options")
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	elif [[ $verb == events ]]; then
		compopt +o default # what to do, then ids
		((COMP_CWORD == 2)) && mapfile -t COMPREPLY < <(compgen -W 'list show retry replay' -- "$cur")
	elif [[ $verb == config ]]; then
		compopt +o default
		mapfile -t COMPREPLY < <(compgen -W 'check show' -- "$cur")
	elif [[ $verb == sink ]]; then
		compopt +o default # what to do, then a name
		((COMP_CWORD == 2)) && mapfile -t COMPREPLY < <(compgen -W 'test' -- "$cur")
	elif [[ $verb == run || $verb == doctor ]]; then
		compopt +o default # no operands
	elif [[ $verb == history || $verb == resolve ]]; then
		compopt +o default # images, no files
	fi
}

complete -o default -F _basewatch basewatch
