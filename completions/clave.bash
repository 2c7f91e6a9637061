# Completion of clave for bash 4.4 or newer. Made by tools/completions.py: change that, or tools/shells/completion.bash.
#
# In ~/.bashrc, below the line `alias pass=clave` if there is one:  eval "$(clave completion bash)"
#
# Names come from a store that other people write to, so here no word is ever expanded: the line is split by our own
# rules, and what is not plain text in a candidate is quoted by our own rules too. Where nothing is configured, the
# names are read by the shell itself, which is faster than starting any program; else clave is asked.

_clave() {
    local IFS=$' \t\n'
    local word raw open shown="" store="" value="" kind="" where="" dashes="" option
    local -a words given=() found=() options valued attached kinds commands aliases left_out
    local -i at last
    COMPREPLY=()
    _clave_split "${COMP_LINE:0:COMP_POINT}"
    last=${#words[@]}-1
    if ((last > 1)) && [[ ${words[last - 1]} == *[\<\>] ]]; then
        compopt -o default 2>/dev/null
        return
    fi
    _clave_takes
    for ((at = 1; at < last; at++)); do
        _clave_pass "${words[at]}"
    done
    word=${words[last]}
    if [[ ! $value && ! $dashes && $word == --*=* ]]; then
        value=${word%%=*}
        shown=$value=
        word=${word#*=}
    fi
    if [[ $value ]]; then
        _clave_kind "$value" "${valued[@]}" "${attached[@]}"
    elif [[ $word == -* && ! $dashes ]]; then
        _clave_offer "${options[@]}"
    else
        _clave_argument
    fi
    _clave_find
    _clave_reply "${2-}"
}

# Take a word that is left of the one under the cursor.
_clave_pass() {
    if [[ $value ]]; then
        [[ ! $where && $value == @(-s|--store) ]] && store=$1
        value=""
    elif [[ $dashes || $1 != -?* ]]; then
        _clave_given "$1"
    elif [[ $1 == -- ]]; then
        dashes=yes
    elif [[ ! $where && $1 == --store=* ]]; then
        store=${1#*=}
    elif [[ " ${valued[*]}" == *" $1="* ]]; then
        value=$1
    fi
}

# Take a word that is no option: a command, or an argument.
_clave_given() {
    local name
    if ((${#commands[@]})); then
        for name in "${commands[@]}"; do
            if [[ $name == "$1" ]]; then
                for name in "${aliases[@]}"; do
                    [[ $name == "$1="* ]] && break
                    name=$1
                done
                where+=${where:+ }${name#"$1="}
                _clave_takes
                return
            fi
        done
        where+=${where:+ }$left_out
        _clave_takes
    fi
    given+=("$1")
}

# Set what the kind of an argument is, and what else may stand in its place.
_clave_argument() {
    if ((${#commands[@]})); then
        _clave_offer "${commands[@]}"
        [[ $left_out ]] || return
        where+=${where:+ }$left_out
        _clave_takes
    fi
    local -i at=${#given[@]} last=${#kinds[@]}-1
    ((at > last && last >= 0)) && [[ ${kinds[last]} == *\* ]] && at=last
    kind=${kinds[at]-}
    kind=${kind%\*}
}

# Set the kind of the value of an option, from a list of OPTION=KIND.
_clave_kind() {
    local each
    for each in "${@:2}"; do
        [[ $each == "$1="* ]] && kind=${each#"$1="}
    done
}

# Set what a command takes, by its path.
_clave_takes() {
    options=() valued=() attached=() kinds=() commands=() aliases=() left_out=()
    case $where in
        '')
            options=(-s --store --yes --version -h --help -c --clip -q --qrcode --at --pending --previous --json)
            valued=('-s=store' '--store=store' '--at=-')
            commands=(show ls list find search grep clip pick otp init rekey insert add set edit generate rm remove
            delete mv rename cp copy join team group grant revoke restrict access key due rotate exposure policy sync
            conflicts resolve git-setup verify pin exec run env render manifest allow ci import export log history
            diff restore undo git store config doctor completion help version)
            aliases=('list=ls' 'search=find' 'add=insert' 'remove=rm' 'delete=rm' 'rename=mv' 'copy=cp' 'run=exec'
            'history=log')
            left_out=(show)
            ;;
        'show')
            options=(-c --clip -q --qrcode --at --pending --previous --json -h --help)
            valued=('--at=-')
            kinds=(value)
            ;;
        'ls')
            options=(--flat --recipients --json -h --help)
            kinds=(folder)
            ;;
        'find')
            options=(--flat --json -h --help)
            kinds=('-*')
            ;;
        'grep')
            options=(-e --regexp -G --basic-regexp -E --extended-regexp -F --fixed-strings -P --perl-regexp -i -y
            --ignore-case -v --invert-match -w --word-regexp -x --line-regexp -a --text -m --max-count -A
            --after-context -B --before-context -C --context -n --line-number -o --only-matching -h --no-filename -c
            --count -l --files-with-matches -L --files-without-match -q --quiet --silent -s --no-messages --json
            --color --colour --help)
            valued=('-e=-' '--regexp=-' '-m=-' '--max-count=-' '-A=-' '--after-context=-' '-B=-' '--before-context=-'
            '-C=-' '--context=-')
            attached=('--color==auto,always,never' '--colour==auto,always,never')
            kinds=(- 'folder*')
            ;;
        'clip')
            options=(-h --help)
            kinds=(entry 'field*')
            ;;
        'pick')
            options=(-c --clip -q --qrcode -n --name -h --help)
            kinds=('-*')
            ;;
        'otp')
            options=(-h --help -c --clip -q --qrcode --json)
            commands=(code insert add append uri validate)
            aliases=('add=insert')
            left_out=(code)
            ;;
        'otp code')
            options=(-c --clip -q --qrcode --json -h --help)
            kinds=(entry)
            ;;
        'otp insert')
            options=(-f --force -e --echo -s --secret -i --issuer -a --account -h --help)
            valued=('-i=-' '--issuer=-' '-a=-' '--account=-')
            kinds=(entry)
            ;;
        'otp append')
            options=(-f --force -e --echo -s --secret -i --issuer -a --account -h --help)
            valued=('-i=-' '--issuer=-' '-a=-' '--account=-')
            kinds=(entry)
            ;;
        'otp uri')
            options=(-c --clip -q --qrcode -h --help)
            kinds=(entry)
            ;;
        'otp validate')
            options=(-h --help)
            kinds=(-)
            ;;
        'init')
            options=(-p --path --no-git -h --help)
            valued=('-p=subfolder' '--path=subfolder')
            kinds=('key*')
            ;;
        'rekey')
            options=(--check --json -h --help)
            kinds=(entry)
            ;;
        'insert')
            options=(-e --echo -m --multiline --file -f --force --allow-weak -h --help)
            valued=('--file=file')
            kinds=(entry)
            ;;
        'set')
            options=(--unset -e --echo --allow-weak -h --help)
            kinds=(entry 'field*')
            ;;
        'edit')
            options=(--on-disk -h --help)
            kinds=(entry)
            ;;
        'generate')
            options=(-n --no-symbols -i --in-place -f --force --words --charset --exclude-similar --allow-weak -c
            --clip -q --qrcode -h --help)
            valued=('--words=-' '--charset=-')
            kinds=(entry -)
            ;;
        'rm')
            options=(-r --recursive -f --force -h --help)
            kinds=(entry)
            ;;
        'mv')
            options=(-f --force -h --help)
            kinds=(entry entry)
            ;;
        'cp')
            options=(-f --force -h --help)
            kinds=(entry entry)
            ;;
        'join')
            options=(--as --into --root --key --name -h --help)
            valued=('--as=store' '--into=path' '--root=-' '--key=-' '--name=entry')
            kinds=(-)
            ;;
        'team')
            options=(--json -h --help)
            commands=(init approve add remove rm machine key role log history)
            aliases=('rm=remove' 'history=log')
            ;;
        'team init')
            options=(--name --key --sure -h --help)
            valued=('--name=entry' '--key=-')
            ;;
        'team approve')
            options=(--read --write --new --request --sure --json -h --help)
            valued=('--read=folder' '--write=folder' '--request=-')
            kinds=(member file)
            ;;
        'team add')
            options=(--key --fingerprint --dry-run -h --help)
            valued=('--key=key' '--fingerprint=-')
            kinds=(- file)
            ;;
        'team remove')
            options=(--reason --last-good --endorse --sure --dry-run -h --help)
            valued=('--reason==left,lost,stolen' '--last-good=-' '--endorse=-')
            kinds=('member*')
            ;;
        'team machine')
            options=(--read --new --on-disk --sure --dry-run -h --help)
            valued=('--read=folder')
            kinds=(-)
            ;;
        'team key')
            options=(-h --help)
            commands=(add replace)
            ;;
        'team key add')
            options=(--fingerprint --sure --dry-run -h --help)
            valued=('--fingerprint=-')
            kinds=(member file)
            ;;
        'team key replace')
            options=(--old --lost --stolen --last-good --endorse --fingerprint --sure --dry-run -h --help)
            valued=('--old=-' '--last-good=-' '--endorse=-' '--fingerprint=-')
            kinds=(member file)
            ;;
        'team role')
            options=(--sure --dry-run -h --help)
            kinds=(member '=admin,member')
            ;;
        'team log')
            options=(--json -h --help)
            ;;
        'group')
            options=(-h --help --json)
            commands=(list ls add remove rm)
            aliases=('ls=list' 'rm=remove')
            left_out=(list)
            ;;
        'group list')
            options=(--json -h --help)
            ;;
        'group add')
            options=(--sure --dry-run -h --help)
            kinds=(- 'member*')
            ;;
        'group remove')
            options=(--sure --dry-run -h --help)
            kinds=(- 'member*')
            ;;
        'grant')
            options=(--write --write-only --until --new --sure --dry-run -h --help)
            valued=('--until=-')
            kinds=(member folder)
            ;;
        'revoke')
            options=(--write --sure --dry-run -h --help)
            kinds=(member folder)
            ;;
        'restrict')
            options=(--undo --new --sure --dry-run -h --help)
            kinds=(folder)
            ;;
        'access')
            options=(--who --json -h --help)
            valued=('--who=member')
            kinds=(entry)
            ;;
        'key')
            options=(-h --help)
            commands=(add renew)
            ;;
        'key add')
            options=(--sure --dry-run -h --help)
            kinds=(key)
            ;;
        'key renew')
            options=(--sure --dry-run -h --help)
            kinds=(member file)
            ;;
        'due')
            options=(--within --mine --json --ics -q --quiet --scan --notify --prompt -h --help)
            valued=('--within=-' '--ics=file')
            kinds=(entry)
            ;;
        'rotate')
            options=(-d --driver -o --option --value-from -n --no-symbols --length --words --charset
            --exclude-similar --resume --abort --rollback --as-begun -f --force --list --due --exposed-to --json -h
            --help)
            valued=('-d==manual,command' '--driver==manual,command' '-o=-' '--option=-' '--value-from==stdin'
            '--length=-' '--words=-' '--charset=-' '--exposed-to=member')
            kinds=(entry)
            ;;
        'exposure')
            options=(-h --help)
            commands=(list accept)
            ;;
        'exposure list')
            options=(--former --deep --json --html -h --help)
            valued=('--html=file')
            kinds=(member)
            ;;
        'exposure accept')
            options=(--reason --who -h --help)
            valued=('--reason=-' '--who=member')
            kinds=(entry)
            ;;
        'policy')
            options=(-h --help)
            commands=(show set check)
            ;;
        'policy show')
            options=(--json -h --help)
            kinds=(entry)
            ;;
        'policy set')
            options=(--unset --max-age -h --help)
            valued=('--unset=-' '--max-age=-')
            kinds=(- '-*')
            ;;
        'policy check')
            options=(--json -h --help)
            ;;
        'sync')
            options=(--dry-run --endorse --sign --json -h --help)
            ;;
        'conflicts')
            options=(--json -h --help)
            ;;
        'resolve')
            options=(--ours --theirs --show -h --help)
            kinds=(entry)
            ;;
        'git-setup')
            options=(--undo -h --help)
            ;;
        'verify')
            options=(--all --strict --json --incoming -h --help)
            kinds=('-*')
            ;;
        'pin')
            options=(--words --root --move --to-remote --sure --json -h --help)
            valued=('--root=-' '--move=-')
            ;;
        'exec')
            options=(-p --profile --manifest -e --env --env-file --all --only --except --allow --allow-env --pristine
            --mask --watch --sync-every --on-disk -h --help)
            valued=('-p=-' '--profile=-' '--manifest=file' '-e=-' '--env=-' '--env-file=file' '--all=folder'
            '--only=-' '--except=-' '--allow-env=-' '--sync-every=-')
            kinds=('-*')
            ;;
        'env')
            options=(-p --profile --manifest -e --env --env-file --all --only --except --allow --allow-env --format
            --name --show --direnv-lib -h --help)
            valued=('-p=-' '--profile=-' '--manifest=file' '-e=-' '--env=-' '--env-file=file' '--all=folder'
            '--only=-' '--except=-' '--allow-env=-'
            '--format==sh,bash,zsh,fish,dotenv,docker,json,yaml,github,k8s-secret,direnv' '--name=-')
            ;;
        'render')
            options=(-o --output --check --allow -h --help)
            valued=('-o=file' '--output=file')
            kinds=(file)
            ;;
        'manifest')
            options=(-h --help)
            commands=(init add check)
            ;;
        'manifest init')
            options=(-h --help)
            ;;
        'manifest add')
            options=(-p --profile -t --template --file --optional --new -h --help)
            valued=('-p=-' '--profile=-')
            kinds=(- value)
            ;;
        'manifest check')
            options=(-p --profile --all --json -h --help)
            valued=('-p=-' '--profile=-')
            kinds=(file)
            ;;
        'allow')
            options=(--list --remove --sure --json -h --help)
            kinds=(file)
            ;;
        'ci')
            options=(--key-file --key-fd -h --help)
            valued=('--key-file=file' '--key-fd=-')
            kinds=('-*')
            ;;
        'import')
            options=(--into -n --dry-run --on-conflict --lossy --map --no-history --deleted --split --convert
            --skip-unreadable --password-file --password-fd --key-file --json --formats -h --help)
            valued=('--into=folder' '--on-conflict==skip,replace,keep-both,merge' '--map=-' '--password-file=file'
            '--password-fd=-' '--key-file=file')
            kinds=('file*')
            ;;
        'export')
            options=(-o --output --plaintext --encrypt-to --lossy --skip-unreadable --password-file --password-fd
            --key-file --formats -h --help)
            valued=('-o=file' '--output=file' '--encrypt-to=key' '--password-file=file' '--password-fd=-'
            '--key-file=file')
            kinds=('=1password-csv,1pux,bitwarden-csv,bitwarden-encrypted,bitwarden-json,bitwarden-zip,chrome,csv,dashlane,dotenv,firefox,json,kdbx,keepass-xml,keepass1-csv,keepassxc-csv,lastpass,nordpass,pass,roboform,safari'
            'entry*')
            ;;
        'log')
            options=(-n --number --verify --json -h --help)
            valued=('-n=-' '--number=-')
            kinds=(entry)
            ;;
        'diff')
            options=(--reveal --json -h --help)
            kinds=(entry - -)
            ;;
        'restore')
            options=(-h --help)
            kinds=(entry -)
            ;;
        'undo')
            options=(-h --help)
            ;;
        'git')
            kinds=('=add,branch,commit,config,diff,fetch,init,log,merge,pull,push,rebase,reflog,remote,reset,restore,show,status*')
            ;;
        'store')
            options=(-h --help)
            commands=(add list ls default remove rm)
            aliases=('ls=list' 'rm=remove')
            ;;
        'store add')
            options=(-h --help)
            kinds=(- path)
            ;;
        'store list')
            options=(--json -h --help)
            ;;
        'store default')
            options=(-h --help)
            kinds=(store)
            ;;
        'store remove')
            options=(-h --help)
            kinds=(store)
            ;;
        'config')
            options=(-h --help)
            commands=(get set list ls)
            aliases=('ls=list')
            ;;
        'config get')
            options=(--json -h --help)
            kinds=('=default-store,clip.seconds,clip.selection,generate.length,generate.charset,generate.charset-no-symbols,sync.auto,PASSWORD_STORE_DIR,PASSWORD_STORE_KEY,PASSWORD_STORE_GPG_OPTS,PASSWORD_STORE_SIGNING_KEY,PASSWORD_STORE_UMASK')
            ;;
        'config set')
            options=(--unset -h --help)
            kinds=('=default-store,clip.seconds,clip.selection,generate.length,generate.charset,generate.charset-no-symbols,sync.auto'
            -)
            ;;
        'config list')
            options=(--json -h --help)
            ;;
        'doctor')
            options=(--fix --json -h --help)
            ;;
        'completion')
            options=(-h --help)
            kinds=('=bash,zsh,fish')
            ;;
        'help')
            options=(-h --help)
            kinds=('command*')
            ;;
        'version')
            options=(-h --help)
            ;;
    esac
}

# Find the candidates of a kind.
_clave_find() {
    local -a all
    case $kind in
        '' | -) ;;
        =*) IFS=, read -ra all <<<"${kind#=}" && _clave_offer "${all[@]}" ;;
        command) where=${given[*]} && _clave_takes && _clave_offer "${commands[@]}" ;;
        file | path) compopt -o default 2>/dev/null ;;
        entry | value | folder | subfolder) _clave_names ;;
        *) _clave_ask ;;
    esac
}

# Add the candidates that the word begins, or else those that it begins if upper and lower case are one.
_clave_offer() {
    local each
    local -i before=${#found[@]}
    for each; do
        [[ $each == "$word"* ]] && found+=("$each")
    done
    ((${#found[@]} > before)) && return
    for each; do
        [[ ${each,,} == "${word,,}"* ]] && found+=("$each")
    done
}

# Ask clave, which writes a candidate and perhaps a tab and what it is.
_clave_ask() {
    local line
    local -a all=()
    while IFS= read -r line; do
        all+=("${line%%$'\t'*}")
    done < <(command clave --complete bash "$kind" "$store" "$word" "${given[0]-}" </dev/null 2>/dev/null)
    _clave_offer "${all[@]}"
}

_clave_names() {
    local config=${XDG_CONFIG_HOME-} root=${PASSWORD_STORE_DIR:-$HOME/.password-store} lone
    local -a level
    [[ $config == /* ]] || config=$HOME/.config
    if [[ $store || -e $config/clave/config.toml || ($kind == value && $word == *'#'*) ]]; then
        _clave_ask
        return
    fi
    _clave_level "$word"
    # As in pass, on through folders that hold one thing.
    while [[ $kind == value && ${#level[@]} == 1 && ${level[0]} == "$word"*/ ]]; do
        lone=${level[0]}
        _clave_level "$lone"
        ((${#level[@]} == 1)) && continue
        level=("$lone")
        break
    done
    found+=("${level[@]}")
}

# Set `level` to the folders and entries that begin so, or else to those that do if upper and lower case are one.
_clave_level() {
    local typed=$1 folder="" each exact=yes
    local -a folders entries
    level=()
    [[ /$typed == *//* || /$typed == */[.-]* ]] && return
    [[ $typed == */* ]] && folder=${typed%/*}/
    _clave_inside "$root/$folder" || return
    _clave_glob "$root/$typed"
    if ((${#folders[@]} + ${#entries[@]} == 0)); then
        _clave_glob "$root/$folder"
        exact=""
    fi
    for each in "${folders[@]}"; do
        [[ -L ${each%/} ]] && ! _clave_inside "$each" && continue
        level+=("${each#"$root/"}")
    done
    if [[ $kind != *folder ]]; then
        entries=("${entries[@]/#"$root/"/}")  # much faster than with a "#" alone
        level+=("${entries[@]%.gpg}")
    fi
    # One look at all of them is much faster than one at each.
    [[ $exact ]] && ! _clave_match '[^ -~]|(^|[ /])[.-]|\.gpg/' "${level[*]}" || _clave_sift "$typed"
}

# Leave of `level` what begins so, can be shown, and is what its name says.
_clave_sift() {
    local each name
    local -a all=("${level[@]}")
    level=()
    for each in "${all[@]}"; do
        name=${each%/}
        name=${name##*/}
        [[ $name == [.-]* || $name == *[^[:print:]]* || $name == *$_clave_reordering* ]] && continue
        [[ $each != */ && -d $root/$each.gpg ]] && continue
        [[ ${each,,} == "${1,,}"* ]] && level+=("$each")
    done
}

# Tell whether a regular expression fits a text, byte by byte.
_clave_match() {
    local LC_ALL=C
    [[ $2 =~ $1 ]]
}

# Set `folders` and `entries` to the paths that begin so, whatever the user's options for globs are.
_clave_glob() {
    local - failglob=""
    set +f
    shopt -q failglob && failglob=yes && shopt -u failglob
    folders=("$1"*/)
    entries=("$1"*.gpg)
    [[ $failglob ]] && shopt -s failglob
    [[ -d ${folders[0]-} ]] || folders=()
    [[ -e ${entries[0]-} || -L ${entries[0]-} ]] || entries=()
}

# Tell whether a folder, symlinks followed, lies in the store.
_clave_inside() {
    local folder=$1
    until [[ $folder -ef $root ]]; do
        [[ -d $folder && ! $folder -ef / ]] || return
        folder+=/..
    done
}

# Split a line at blanks as bash does, take the quotes away and expand nothing. Sets `words`, of which the last is the
# one under the cursor; `raw`, that one as it was typed; `open`, the quote that it is in.
_clave_split() {
    local line=$1 char plain="" begun=""
    local -i at
    words=() raw="" open=""
    for ((at = 0; at < ${#line}; at++)); do
        char=${line:at:1}
        if [[ ! $open && $char == [[:blank:]] ]]; then
            [[ $begun ]] && words+=("$plain")
            plain="" raw="" begun=""
            continue
        fi
        raw+=$char begun=yes
        if [[ $char == "$open" ]]; then
            open=""
        elif [[ ! $open && $char == [\'\"] ]]; then
            open=$char
        elif [[ $char == \\ && $open != \' ]]; then
            at+=1
            char=${line:at:1}
            raw+=$char
            [[ ! $open || $char == [\"\$\`\\] ]] || plain+=\\
            plain+=$char
        else
            plain+=$char
        fi
    done
    words+=("$plain")
}

# Answer with what was found. Of the word under the cursor, readline replaces the end alone that is given here: the part
# behind the last character that it takes for a break, such as the colon of STORE:NAME.
_clave_reply() {
    local kept=${raw%"$1"} each
    _clave_split "$kept"
    local -i skip=${#words[-1]}
    COMPREPLY=("${found[@]}")
    if [[ $shown || $skip != 0 ]]; then
        COMPREPLY=()
        for each in "${found[@]}"; do
            each=$shown$each
            COMPREPLY+=("${each:skip}")
        done
    fi
    # What readline quotes as names of files, it shows without their folders. But it leaves what could be an expansion
    # as it is, quotes more than it must, and puts a slash behind what is a folder of the current one.
    if _clave_match '[$`~<>!:@=]' "${COMPREPLY[*]}" || [[ ${#COMPREPLY[@]} == 1 && -d ${COMPREPLY[0]} ]]; then
        found=("${COMPREPLY[@]}")
        COMPREPLY=()
        for each in "${found[@]}"; do
            _clave_quote "$each" && COMPREPLY+=("$REPLY")
        done
    else
        compopt -o filenames 2>/dev/null
    fi
    if [[ ${#COMPREPLY[@]} == 1 && $kind == @(entry|value|folder|subfolder) && ${COMPREPLY[0]} == *[/:] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}

# Set REPLY to text that bash reads as the argument where the quote `open` is open; fail where there is no such text.
_clave_quote() {
    local special=$' \t!"#$&\'()*;<=>?[\\]^`{|}~' char
    local -i at
    case $open in
        \") special='"$`\' && [[ $1 != *!* ]] || return ;;
        \') REPLY=${1//\'/\'\\\'\'} && return ;;
    esac
    REPLY=""
    for ((at = 0; at < ${#1}; at++)); do
        char=${1:at:1}
        [[ $special == *"$char"* ]] && REPLY+=\\
        REPLY+=$char
    done
}

# Characters that reorder what is shown, as UTF-8: U+061C, U+200E and F, U+2028 to 202E, U+2066 to 2069.
_clave_reordering=$'@(\xd8\x9c|\xe2\x80\x8e|\xe2\x80\x8f|\xe2\x80\xa8|\xe2\x80\xa9|\xe2\x80\xaa|\xe2\x80\xab|\xe2\x80\xac|\xe2\x80\xad|\xe2\x80\xae|\xe2\x81\xa6|\xe2\x81\xa7|\xe2\x81\xa8|\xe2\x81\xa9)'

if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)); then
    complete -F _clave clave
    for _clave_alias in "${!BASH_ALIASES[@]}"; do
        [[ ${BASH_ALIASES[$_clave_alias]} == ?(*/)clave ]] && complete -F _clave -- "$_clave_alias"
    done
    unset -v _clave_alias
fi
