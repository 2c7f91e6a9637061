#compdef clave
# Completion of clave for zsh. Made by tools/completions.py: change that, or tools/shells/completion.zsh.
#
# In a folder of $fpath this file is found by its name, `_clave`. Or, in ~/.zshrc below compinit:
#     eval "$(clave completion zsh)"
# An alias such as `alias pass=clave` needs nothing more.
#
# Names come from a store that other people write to: they are handed to compadd, which quotes them. Nothing here is
# evaluated.

_clave() {
    local store value kind where dashes
    local -a given options valued attached kinds commands aliases left_out
    local -i at ret=1
    _clave_takes
    for ((at = 2; at < CURRENT; at++)); do
        _clave_pass "${(Q)words[at]}"
    done
    if [[ -z $value && -z $dashes && $PREFIX == --*=* ]]; then
        value=${PREFIX%%=*}
        compset -P '*='
    fi
    if [[ -n $value ]]; then
        _clave_kind $value $valued $attached
        _clave_find && ret=0
    elif [[ $PREFIX == -* && -z $dashes ]]; then
        _describe -o option options && ret=0
    else
        _clave_argument && ret=0
    fi
    return ret
}

# Take a word that is left of the one under the cursor.
_clave_pass() {
    if [[ -n $value ]]; then
        [[ -z $where && $value == (-s|--store) ]] && store=$1
        value=
    elif [[ -n $dashes || $1 != -?* ]]; then
        _clave_given "$1"
    elif [[ $1 == -- ]]; then
        dashes=yes
    elif [[ -z $where && $1 == --store=* ]]; then
        store=${1#*=}
    elif ((${valued[(Ie)$1]} || ${${(@)valued%%=*}[(Ie)$1]})); then
        value=$1
    fi
}

# Take a word that is no option: a command, or an argument.
_clave_given() {
    local each name=$1
    if (($#commands)); then
        if ((${${(@)commands%%:*}[(Ie)$1]})); then
            for each in $aliases; do
                [[ ${each%%=*} == "$1" ]] && name=${each#*=}
            done
            _clave_enter $name
            return
        fi
        _clave_enter $left_out
    fi
    given+=("$1")
}

_clave_enter() {
    where+=${where:+ }$1
    _clave_takes
}

# Complete an argument, and what else may stand in its place.
_clave_argument() {
    local -i at=$#given+1 ret=1
    if (($#commands)); then
        _describe -t commands command commands && ret=0
        (($#left_out)) || return ret
        _clave_enter $left_out
    fi
    ((at > $#kinds)) && [[ $kinds[-1] == *\* ]] && at=-1
    kind=${kinds[at]%\*}
    _clave_find && ret=0
    return ret
}

# Set the kind of the value of an option, from a list of OPTION=KIND.
_clave_kind() {
    local each
    for each in "${@:2}"; do
        [[ ${each%%=*} == "$1" ]] && kind=${each#*=}
    done
}

# Set what a command takes, by the words that lead to it.
_clave_takes() {
    options=() valued=() attached=() kinds=() commands=() aliases=() left_out=()
    case $where in
@COMMANDS@
    esac
}

# Complete a word of a kind.
_clave_find() {
    case $kind in
        ('' | -) return 1 ;;
        ("="*) compadd -- ${(s:,:)${kind#=}} ;;
        (command) where="$given" && _clave_takes && (($#commands)) && _describe -t commands command commands ;;
        (file) _files ;;
        (path) _files -/ ;;
        (*) _clave_ask ;;
    esac
}

# Complete what clave answers: a candidate a line, and perhaps a tab and what it is.
_clave_ask() {
    local typed=${(Q)PREFIX} folder each expl
    local -a lines open whole said
    local -i ret=1
    lines=(${(f)"$(command clave --complete zsh $kind "$store" "$typed" "$given[1]" </dev/null 2>/dev/null)"})
    if [[ $kind == (entry|value|folder|subfolder) ]]; then
        if [[ $typed == */* && $typed != *'#'* ]]; then
            compset -P '*/'
            folder=${typed%/*}/
        fi
        lines=("${(@)lines#"$folder"}")
        open=(${(M)lines:#*[/:]})
        lines=(${lines:#*[/:]})
    fi
    whole=("${(@)lines%%$'\t'*}")
    said=("${(@)lines/$'\t'/  -- }")
    _description entries expl $kind
    (($#open)) && compadd "$expl[@]" -S '' -a open && ret=0
    (($#whole)) && compadd "$expl[@]" -l -d said -a whole && ret=0
    return ret
}

if [[ $funcstack[1] == _clave ]]; then
    _clave "$@"
else
    compdef _clave clave
fi
