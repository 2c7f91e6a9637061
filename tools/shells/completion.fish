# Completion of clave for fish. Made by tools/completions.py: change that, or tools/shells/completion.fish.
#
# Save it as ~/.config/fish/completions/clave.fish, or in config.fish:  clave completion fish | source
# An alias such as `alias pass=clave` needs nothing more.
#
# Names come from a store that other people write to: fish escapes what it inserts. Nothing here is evaluated.

function __clave_complete
    set -l store
    set -l value
    set -l kind
    set -l where
    set -l dashes
    set -l given
    set -l shown
    set -l options
    set -l valued
    set -l attached
    set -l kinds
    set -l commands
    set -l aliases
    set -l left_out
    set -l words (commandline -opc)
    set -l word (string unescape -- (commandline -ct))
    __clave_takes
    for each in $words[2..]
        __clave_pass $each
    end
    if test -z "$value$dashes"; and string match -q -- '--*=*' "$word"
        set value (string replace -r -- '=.*' '' $word)
        set shown $value=
        set word (string replace -r -- '^[^=]*=' '' $word)
    end
    if test -n "$value"
        __clave_kind $valued $attached
        __clave_find
    else if test -z "$dashes"; and string match -q -- '-*' "$word"
        __clave_told $options
    else
        __clave_argument
    end
end

# Take a word that is left of the one under the cursor.
function __clave_pass --no-scope-shadowing
    if test -n "$value"
        if test -z "$where"; and contains -- $value -s --store
            set store $argv[1]
        end
        set value
    else if test -n "$dashes"; or not string match -q -- '-?*' $argv[1]
        __clave_given $argv[1]
    else if test "$argv[1]" = --
        set dashes yes
    else if test -z "$where"; and string match -q -- '--store=*' $argv[1]
        set store (string replace -- --store= '' $argv[1])
    else if contains -- $argv[1] (string replace -r -- '=.*' '' $valued)
        set value $argv[1]
    end
end

# Take a word that is no option: a command, or an argument.
function __clave_given --no-scope-shadowing
    if set -q commands[1]
        if contains -- $argv[1] (string replace -r -- ':.*' '' $commands)
            set -l name $argv[1]
            for each in $aliases
                set -l pair (string split -m 1 -- = $each)
                test $pair[1] = $argv[1]; and set name $pair[2]
            end
            set -a where $name
            __clave_takes
            return
        end
        set -a where $left_out
        __clave_takes
    end
    set -a given $argv[1]
end

# Write what an argument can be, and what else may stand in its place.
function __clave_argument --no-scope-shadowing
    if set -q commands[1]
        __clave_told $commands
        set -q left_out[1]; or return
        set -a where $left_out
        __clave_takes
    end
    set -l at (math (count $given) + 1)
    if test $at -gt (count $kinds); and string match -q -- '*\*' "$kinds[-1]"
        set at -1
    end
    set kind (string replace -r -- '\*$' '' $kinds[$at])
    __clave_find
end

# Set the kind of the value of an option, from a list of OPTION=KIND.
function __clave_kind --no-scope-shadowing
    for each in $argv
        set -l pair (string split -m 1 -- = $each)
        test $pair[1] = $value; and set kind $pair[2]
    end
end

# Set what a command takes, by the words that lead to it.
function __clave_takes --no-scope-shadowing
    for each in options valued attached kinds commands aliases left_out
        set $each
    end
    switch "$where"
@COMMANDS@
    end
end

# Write words, each with what it means.
function __clave_told
    string replace -- : \t $argv
end

# Write the candidates of a kind.
function __clave_find --no-scope-shadowing
    switch "$kind"
        case '' -
        case '=*'
            string join \n -- "$shown"(string split -- , (string replace -- = '' $kind))
        case command
            set where $given
            __clave_takes
            __clave_told $commands
        case file
            __fish_complete_path "$word"
        case path
            __fish_complete_directories "$word" ''
        case '*'
            command -q clave; or return
            # A candidate a line, and perhaps a tab and what it is.
            string join \n -- "$shown"(command clave --complete fish $kind "$store" "$word" "$given[1]" </dev/null 2>/dev/null)
    end
end

complete -c clave -f -a '(__clave_complete)'
