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
        case ''
            set options \
                '-s:Use the store of this name' \
                '--store:Use the store of this name' \
                '--yes:Answer yes to “overwrite?” and “delete?”' \
                '--version:Show the version' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit' \
                '-c:Copy it to the clipboard, which is cleared after a while' \
                '--clip:Copy it to the clipboard, which is cleared after a while' \
                '-q:Show it as a QR code' \
                '--qrcode:Show it as a QR code' \
                '--at:As it was: -N (versions earlier), a date or a commit' \
                '--pending:What is to be in force: of a rotation that is under way' \
                '--previous:As it was before its value last changed' \
                '--json:Print JSON, the entry taken apart into fields'
            set valued '-s=store' '--store=store' '--at=-'
            set commands \
                'show:Show an entry, or list a folder.' \
                'ls:List the entries of a folder as a tree.' \
                'list:List the entries of a folder as a tree.' \
                'find:List the entries whose names match.' \
                'search:List the entries whose names match.' \
                'grep:Search the decrypted text of all entries.' \
                'clip:Copy one field after another to the clipboard.' \
                'pick:Choose an entry by typing parts of its name.' \
                'otp:One-time codes of an entry.' \
                'init:Make a store, or set the recipients of a folder.' \
                'rekey:Encrypt anew what has other recipients than its .gpg-id says.' \
                'insert:Insert an entry.' \
                'add:Insert an entry.' \
                'set:Set fields of an entry, leaving its other lines alone.' \
                'edit:Edit an entry in your editor, in memory only.' \
                'generate:Generate a password.' \
                'rm:Remove an entry or a folder.' \
                'remove:Remove an entry or a folder.' \
                'delete:Remove an entry or a folder.' \
                'mv:Move or rename an entry or a folder.' \
                'rename:Move or rename an entry or a folder.' \
                'cp:Copy an entry or a folder.' \
                'copy:Copy an entry or a folder.' \
                'join:Get a store that others have, and ask to become a member of its team.' \
                'team:Who belongs to the team of a store.' \
                'group:Several members under one name.' \
                'grant:Let somebody read, or also write, a folder.' \
                'revoke:Take rights on a folder from somebody.' \
                'restrict:End that a folder inherits the rights on those above it.' \
                'access:Who can read and write what.' \
                'key:Your own keys in the team of a store.' \
                'due:What has to be done: values that are too old, exposed, or about to end.' \
                'rotate:Give an entry a new value, also where it is in force.' \
                'exposure:Which values somebody who is gone knows.' \
                'policy:What a store wants of its entries: age, owner, how a password is made.' \
                'sync:Get what others have done, and share what you have.' \
                'conflicts:List what two people have changed in ways that could not be brought together.' \
                'resolve:Choose between the two versions of an entry that could not be brought together.' \
                'git-setup:Set up git in the store, for people who use it or pass.' \
                'verify:Verify that what stands in a team store is what its team wrote.' \
                'pin:Show what is known of a team store from before, its pin.' \
                'exec:Run a program with secrets in its environment.' \
                'run:Run a program with secrets in its environment.' \
                'env:Print variables for a shell, or for another program that reads them.' \
                'render:Render a template with secrets in it, to stdout or into a file.' \
                'manifest:The file that says which secrets an application wants.' \
                'allow:Allow a manifest the secrets that it asks for.' \
                'ci:Run a program with a machine\'s key, which is gone afterwards.' \
                'import:Bring in the entries of another manager, or of a file.' \
                'export:Write entries for another manager, or into a file.' \
                'log:Who changed what, and when.' \
                'history:Who changed what, and when.' \
                'diff:What changed in an entry, field by field.' \
                'restore:Bring back an earlier version of an entry.' \
                'undo:Take back the last operation, as a new commit.' \
                'git:Run git in the store.' \
                'store:Know several stores.' \
                'config:Read and change settings.' \
                'doctor:Find and mend what is wrong with the set-up.' \
                'completion:Print the completion script of a shell.' \
                'help:Show help for a command.' \
                'version:Show the version.'
            set aliases \
                'list=ls' \
                'search=find' \
                'add=insert' \
                'remove=rm' \
                'delete=rm' \
                'rename=mv' \
                'copy=cp' \
                'run=exec' \
                'history=log'
            set left_out show
        case 'show'
            set options \
                '-c:Copy it to the clipboard, which is cleared after a while' \
                '--clip:Copy it to the clipboard, which is cleared after a while' \
                '-q:Show it as a QR code' \
                '--qrcode:Show it as a QR code' \
                '--at:As it was: -N (versions earlier), a date or a commit' \
                '--pending:What is to be in force: of a rotation that is under way' \
                '--previous:As it was before its value last changed' \
                '--json:Print JSON, the entry taken apart into fields' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '--at=-'
            set kinds value
        case 'ls'
            set options \
                '--flat:One full name a line' \
                '--recipients:One full name a line, and who can read it' \
                '--json:Print JSON' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds folder
        case 'find'
            set options \
                '--flat:One full name a line' \
                '--json:Print JSON' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds '-*'
        case 'grep'
            set options \
                '-e:A pattern' \
                '--regexp:A pattern' \
                '-G:Read patterns as grep does (default)' \
                '--basic-regexp:Read patterns as grep does (default)' \
                '-E:Read patterns as `grep -E` does' \
                '--extended-regexp:Read patterns as `grep -E` does' \
                '-F:Take patterns as plain text' \
                '--fixed-strings:Take patterns as plain text' \
                '-P:Read patterns as Python does' \
                '--perl-regexp:Read patterns as Python does' \
                '-i:Ignore case' \
                '-y:Ignore case' \
                '--ignore-case:Ignore case' \
                '-v:Select lines that do not match' \
                '--invert-match:Select lines that do not match' \
                '-w:Match whole words only' \
                '--word-regexp:Match whole words only' \
                '-x:Match whole lines only' \
                '--line-regexp:Match whole lines only' \
                '-a:Show the lines of binary entries too' \
                '--text:Show the lines of binary entries too' \
                '-m:Stop after N lines of an entry' \
                '--max-count:Stop after N lines of an entry' \
                '-A:Show N lines after each' \
                '--after-context:Show N lines after each' \
                '-B:Show N lines before each' \
                '--before-context:Show N lines before each' \
                '-C:Show N lines before and after each' \
                '--context:Show N lines before and after each' \
                '-n:Show line numbers' \
                '--line-number:Show line numbers' \
                '-o:Show only what matched' \
                '--only-matching:Show only what matched' \
                '-h:Show lines without the names of the entries' \
                '--no-filename:Show lines without the names of the entries' \
                '-c:Show how many lines match' \
                '--count:Show how many lines match' \
                '-l:Show the names of matching entries' \
                '--files-with-matches:Show the names of matching entries' \
                '-L:Show the names of the other entries' \
                '--files-without-match:Show the names of the other entries' \
                '-q:Show nothing: the exit code tells' \
                '--quiet:Show nothing: the exit code tells' \
                '--silent:Show nothing: the exit code tells' \
                '-s:Do not name the entries that cannot be decrypted' \
                '--no-messages:Do not name the entries that cannot be decrypted' \
                '--json:Print JSON' \
                '--color:Colours: always, never, or auto (on a terminal)' \
                '--colour:Colours: always, never, or auto (on a terminal)' \
                '--help:Show this message and exit'
            set valued \
                '-e=-' \
                '--regexp=-' \
                '-m=-' \
                '--max-count=-' \
                '-A=-' \
                '--after-context=-' \
                '-B=-' \
                '--before-context=-' \
                '-C=-' \
                '--context=-'
            set attached '--color==auto,always,never' '--colour==auto,always,never'
            set kinds - 'folder*'
        case 'clip'
            set options '-h:Show this message and exit' '--help:Show this message and exit'
            set kinds entry 'field*'
        case 'pick'
            set options \
                '-c:Copy it to the clipboard, which is cleared after a while' \
                '--clip:Copy it to the clipboard, which is cleared after a while' \
                '-q:Show it as a QR code' \
                '--qrcode:Show it as a QR code' \
                '-n:Print the name instead of the entry' \
                '--name:Print the name instead of the entry' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds '-*'
        case 'otp'
            set options \
                '-h:Show this message and exit' \
                '--help:Show this message and exit' \
                '-c:Copy it to the clipboard, which is cleared after a while' \
                '--clip:Copy it to the clipboard, which is cleared after a while' \
                '-q:Show it as a QR code' \
                '--qrcode:Show it as a QR code' \
                '--json:Print JSON'
            set commands \
                'code:Show the code of now.' \
                'insert:Insert an entry that is an OTP secret.' \
                'add:Insert an entry that is an OTP secret.' \
                'append:Give an entry an OTP secret, or another one.' \
                'uri:Show the key URI.' \
                'validate:Tell whether a key URI is a valid one.'
            set aliases 'add=insert'
            set left_out code
        case 'otp code'
            set options \
                '-c:Copy it to the clipboard, which is cleared after a while' \
                '--clip:Copy it to the clipboard, which is cleared after a while' \
                '-q:Show it as a QR code' \
                '--qrcode:Show it as a QR code' \
                '--json:Print JSON' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds entry
        case 'otp insert'
            set options \
                '-f:Overwrite without a question' \
                '--force:Overwrite without a question' \
                '-e:Ask once, and show what is typed' \
                '--echo:Ask once, and show what is typed' \
                '-s:Ask for the bare base32 secret instead of a URI' \
                '--secret:Ask for the bare base32 secret instead of a URI' \
                '-i:With -s: where it is asked for' \
                '--issuer:With -s: where it is asked for' \
                '-a:With -s: whose code it is' \
                '--account:With -s: whose code it is' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '-i=-' '--issuer=-' '-a=-' '--account=-'
            set kinds entry
        case 'otp append'
            set options \
                '-f:Overwrite without a question' \
                '--force:Overwrite without a question' \
                '-e:Ask once, and show what is typed' \
                '--echo:Ask once, and show what is typed' \
                '-s:Ask for the bare base32 secret instead of a URI' \
                '--secret:Ask for the bare base32 secret instead of a URI' \
                '-i:With -s: where it is asked for' \
                '--issuer:With -s: where it is asked for' \
                '-a:With -s: whose code it is' \
                '--account:With -s: whose code it is' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '-i=-' '--issuer=-' '-a=-' '--account=-'
            set kinds entry
        case 'otp uri'
            set options \
                '-c:Copy it to the clipboard, which is cleared after a while' \
                '--clip:Copy it to the clipboard, which is cleared after a while' \
                '-q:Show it as a QR code' \
                '--qrcode:Show it as a QR code' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds entry
        case 'otp validate'
            set options '-h:Show this message and exit' '--help:Show this message and exit'
            set kinds -
        case 'init'
            set options \
                '-p:Set the recipients of this folder' \
                '--path:Set the recipients of this folder' \
                '--no-git:Do not make a new store a git repository' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '-p=subfolder' '--path=subfolder'
            set kinds 'key*'
        case 'rekey'
            set options \
                '--check:Only list what differs, without decrypting anything' \
                '--json:Print the list as JSON' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds entry
        case 'insert'
            set options \
                '-e:Ask once, and show what is typed' \
                '--echo:Ask once, and show what is typed' \
                '-m:Take all of the input, until Ctrl+D' \
                '--multiline:Take all of the input, until Ctrl+D' \
                '--file:Take the content of a file, byte for byte (- is stdin)' \
                '-f:Overwrite without a question' \
                '--force:Overwrite without a question' \
                '--allow-weak:Also a password that is weaker than the policy of the store wants' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '--file=file'
            set kinds entry
        case 'set'
            set options \
                '--unset:Remove the fields instead' \
                '-e:Show what is typed' \
                '--echo:Show what is typed' \
                '--allow-weak:Also a password that is weaker than the policy of the store wants' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds entry 'field*'
        case 'edit'
            set options \
                '--on-disk:Use a temporary file on disk where there is no folder in RAM' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds entry
        case 'generate'
            set options \
                '-n:Letters and digits only' \
                '--no-symbols:Letters and digits only' \
                '-i:Replace the first line, keep the others' \
                '--in-place:Replace the first line, keep the others' \
                '-f:Overwrite without a question' \
                '--force:Overwrite without a question' \
                '--words:N words of the EFF\'s long list' \
                '--charset:Characters to choose from, as for tr: a-z, [:alnum:], …' \
                '--exclude-similar:Leave out what is easily misread, such as 0 and O' \
                '--allow-weak:Also with less entropy than the policy of the store wants' \
                '-c:Copy it to the clipboard, which is cleared after a while' \
                '--clip:Copy it to the clipboard, which is cleared after a while' \
                '-q:Show it as a QR code' \
                '--qrcode:Show it as a QR code' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '--words=-' '--charset=-'
            set kinds entry -
        case 'rm'
            set options \
                '-r:Remove a folder and all below it' \
                '--recursive:Remove a folder and all below it' \
                '-f:Do not ask' \
                '--force:Do not ask' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds entry
        case 'mv'
            set options \
                '-f:Overwrite without a question' \
                '--force:Overwrite without a question' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds entry entry
        case 'cp'
            set options \
                '-f:Overwrite without a question' \
                '--force:Overwrite without a question' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds entry entry
        case 'join'
            set options \
                '--as:What the store is called here, if it is not the only one' \
                '--into:The folder of the store, which must be empty or not there' \
                '--root:The words of the store, as a colleague\'s clave pin --words prints them' \
                '--key:Which of your keys you join with' \
                '--name:What you would like to be called in the team' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '--as=store' '--into=path' '--root=-' '--key=-' '--name=entry'
            set kinds -
        case 'team'
            set options '--json:Print JSON' '-h:Show this message and exit' '--help:Show this message and exit'
            set commands \
                'init:Make a store a team\'s: who may read and write is signed from now on.' \
                'approve:Let somebody in who asked to join.' \
                'add:Make somebody a member of the team.' \
                'remove:Take somebody out of the team.' \
                'rm:Take somebody out of the team.' \
                'machine:Make a key for a machine, which may read some folders.' \
                'key:The keys of members.' \
                'role:Make somebody an admin, or an ordinary member again.' \
                'log:How the team came to be what it is.' \
                'history:How the team came to be what it is.'
            set aliases 'rm=remove' 'history=log'
        case 'team init'
            set options \
                '--name:Your name in the team' \
                '--key:Which of your keys signs' \
                '--sure:Do not ask' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '--name=entry' '--key=-'
        case 'team approve'
            set options \
                '--read:Let them read this folder' \
                '--write:Let them read and write this folder' \
                '--new:The folders need not be there yet' \
                '--request:The key that they ask with, in full' \
                '--sure:Do not ask, if --request names the key' \
                '--json:Print who has asked, as JSON' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '--read=folder' '--write=folder' '--request=-'
            set kinds member file
        case 'team add'
            set options \
                '--key:Which key of your keyring is theirs' \
                '--fingerprint:What the key must be' \
                '--dry-run:Only show what would be done' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '--key=key' '--fingerprint=-'
            set kinds - file
        case 'team remove'
            set options \
                '--reason:Why: left, or their key was lost or stolen' \
                '--last-good:The last commit of theirs that counts' \
                '--endorse:A later commit by that key that is all right' \
                '--sure:Do not ask' \
                '--dry-run:Only show what would be done' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '--reason==left,lost,stolen' '--last-good=-' '--endorse=-'
            set kinds 'member*'
        case 'team machine'
            set options \
                '--read:What it may read' \
                '--new:The folders need not be there yet' \
                '--on-disk:Where there is no folder in RAM, make the key in one on disk' \
                '--sure:Do not ask' \
                '--dry-run:Only show what would be done' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '--read=folder'
            set kinds -
        case 'team key'
            set options '-h:Show this message and exit' '--help:Show this message and exit'
            set commands \
                'add:Give a member one more key.' \
                'replace:Give a member another key instead of one that is gone.'
        case 'team key add'
            set options \
                '--fingerprint:What the key must be' \
                '--sure:Do not ask' \
                '--dry-run:Only show what would be done' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '--fingerprint=-'
            set kinds member file
        case 'team key replace'
            set options \
                '--old:Which key is replaced, of a member who has several' \
                '--lost:Nobody has the old key any more' \
                '--stolen:Somebody else has the old key' \
                '--last-good:Up to where signatures of a stolen key count' \
                '--endorse:A later commit by the stolen key that is all right' \
                '--fingerprint:What the new key must be' \
                '--sure:Do not ask' \
                '--dry-run:Only show what would be done' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '--old=-' '--last-good=-' '--endorse=-' '--fingerprint=-'
            set kinds member file
        case 'team role'
            set options \
                '--sure:Do not ask' \
                '--dry-run:Only show what would be done' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds member '=admin,member'
        case 'team log'
            set options '--json:Print JSON' '-h:Show this message and exit' '--help:Show this message and exit'
        case 'group'
            set options '-h:Show this message and exit' '--help:Show this message and exit' '--json:Print JSON'
            set commands \
                'list:List the groups of a team and what they may.' \
                'ls:List the groups of a team and what they may.' \
                'add:Put members into a group.' \
                'remove:Take members out of a group, or remove it.' \
                'rm:Take members out of a group, or remove it.'
            set aliases 'ls=list' 'rm=remove'
            set left_out list
        case 'group list'
            set options '--json:Print JSON' '-h:Show this message and exit' '--help:Show this message and exit'
        case 'group add'
            set options \
                '--sure:Do not ask' \
                '--dry-run:Only show what would be done' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds - 'member*'
        case 'group remove'
            set options \
                '--sure:Do not ask' \
                '--dry-run:Only show what would be done' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds - 'member*'
        case 'grant'
            set options \
                '--write:Let them write it too' \
                '--write-only:Let them write it, not read it' \
                '--until:A reminder: the day (YYYY-MM-DD) up to which it is meant to last' \
                '--new:The folder need not be there yet' \
                '--sure:Do not ask' \
                '--dry-run:Only show what would be done' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '--until=-'
            set kinds member folder
        case 'revoke'
            set options \
                '--write:Take only the right to write' \
                '--sure:Do not ask' \
                '--dry-run:Only show what would be done' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds member folder
        case 'restrict'
            set options \
                '--undo:Let it inherit again' \
                '--new:The folder need not be there yet' \
                '--sure:Do not ask' \
                '--dry-run:Only show what would be done' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds folder
        case 'access'
            set options \
                '--who:Only what this member, or @group, may' \
                '--json:Print JSON' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '--who=member'
            set kinds entry
        case 'key'
            set options '-h:Show this message and exit' '--help:Show this message and exit'
            set commands 'add:Use another key of yours too.' 'renew:Give the store the newest copy of your key.'
        case 'key add'
            set options \
                '--sure:Do not ask' \
                '--dry-run:Only show what would be done' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds key
        case 'key renew'
            set options \
                '--sure:Do not ask' \
                '--dry-run:Only show what would be done' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds member file
        case 'due'
            set options \
                '--within:What is due in this time is soon (14d)' \
                '--mine:Only what you own, as the policy says' \
                '--json:Print JSON' \
                '--ics:Write a calendar of all that will be due (- is stdout)' \
                '-q:Print nothing: the exit code says if there is something' \
                '--quiet:Print nothing: the exit code says if there is something' \
                '--scan:First decrypt, once, what other programs wrote, for ends in it' \
                '--notify:Show a notification on the desktop if there is something' \
                '--prompt:Print \'3 due\' for a shell\'s prompt, if that is known at once' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '--within=-' '--ics=file'
            set kinds entry
        case 'rotate'
            set options \
                '-d:Who changes it outside: manual, command:NAME, postgresql, …' \
                '--driver:Who changes it outside: manual, command:NAME, postgresql, …' \
                '-o:An option of the driver\'s' \
                '--option:An option of the driver\'s' \
                '--value-from:Take the new password from stdin\'s first line' \
                '-n:Letters and digits only' \
                '--no-symbols:Letters and digits only' \
                '--length:So many characters' \
                '--words:N words of the EFF\'s long list' \
                '--charset:Characters to choose from, as for tr: a-z, [:alnum:], …' \
                '--exclude-similar:Leave out what is easily misread, such as 0 and O' \
                '--resume:Go on with a rotation that was begun, by whomever' \
                '--abort:Give it up: the old value works again' \
                '--rollback:Make the value before this one the entry\'s again, by the same steps' \
                '--as-begun:With --resume or --abort: the driver that it was begun with' \
                '-f:With --abort: forget it, whatever is in force outside' \
                '--force:With --abort: forget it, whatever is in force outside' \
                '--list:List the rotations that are under way' \
                '--due:Rotate all whose time has come, one after the other' \
                '--exposed-to:Rotate all that WHO could ever read, or has written' \
                '--json:Print the list as JSON' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued \
                '-d==manual,command:,postgresql' \
                '--driver==manual,command:,postgresql' \
                '-o=-' \
                '--option=-' \
                '--value-from==stdin' \
                '--length=-' \
                '--words=-' \
                '--charset=-' \
                '--exposed-to=member'
            set kinds entry
        case 'exposure'
            set options '-h:Show this message and exit' '--help:Show this message and exit'
            set commands \
                'list:Which values in use somebody could ever read, or wrote.' \
                'accept:Say that a value stays as it is, though somebody knows it.'
        case 'exposure list'
            set options \
                '--former:Everybody who could once read an entry, and cannot today' \
                '--deep:Decrypt and compare, in the place of believing what commits say' \
                '--json:Print JSON' \
                '--html:Write a page to hand on, which may not be there yet' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '--html=file'
            set kinds member
        case 'exposure accept'
            set options \
                '--reason:Why it cannot be changed' \
                '--who:For this one alone, not for all who are gone' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '--reason=-' '--who=member'
            set kinds entry
        case 'policy'
            set options '-h:Show this message and exit' '--help:Show this message and exit'
            set commands \
                'show:Show what is wanted of an entry, and which line says so.' \
                'set:Set what is wanted of the entries that a pattern matches.' \
                'check:Look for what is wrong with the policy.'
        case 'policy show'
            set options '--json:Print JSON' '-h:Show this message and exit' '--help:Show this message and exit'
            set kinds entry
        case 'policy set'
            set options \
                '--unset:Take a key out: what a wider pattern says holds again' \
                '--max-age:Warn in `verify` where a team\'s newest commit is older, such as 30d' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '--unset=-' '--max-age=-'
            set kinds - '-*'
        case 'policy check'
            set options '--json:Print JSON' '-h:Show this message and exit' '--help:Show this message and exit'
        case 'sync'
            set options \
                '--dry-run:Only say what would come and go' \
                '--endorse:Endorse unsigned commits of others, after they were shown' \
                '--sign:Sign unsigned commits of your own, without a question' \
                '--json:Print JSON' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
        case 'conflicts'
            set options '--json:Print JSON' '-h:Show this message and exit' '--help:Show this message and exit'
        case 'resolve'
            set options \
                '--ours:Take the version that is kept beside the entry' \
                '--theirs:Take the version at the entry' \
                '--show:Show the secret values, too' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds entry
        case 'git-setup'
            set options '--undo:Take it back' '-h:Show this message and exit' '--help:Show this message and exit'
        case 'verify'
            set options \
                '--all:Verify all from the beginning on, not only what is new' \
                '--strict:Fail also for what is else a warning' \
                '--json:Print JSON' \
                '--incoming:Verify what is being pushed to this bare repository' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds '-*'
        case 'pin'
            set options \
                '--words:Print the words of the store alone, for a colleague to compare' \
                '--root:Set the pin of a clone that has none, by a colleague\'s words' \
                '--move:Pin this commit instead, after a look and a question' \
                '--to-remote:Pin what the remote has now instead, after a look and a question' \
                '--sure:Move the pin without a question' \
                '--json:Print JSON' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '--root=-' '--move=-'
        case 'exec'
            set options \
                '-p:Use this profile of the manifest' \
                '--profile:Use this profile of the manifest' \
                '--manifest:The manifest, or a secrets.yml' \
                '-e:One more' \
                '--env:One more' \
                '--env-file:A .env file, with clave:// in it' \
                '--all:Every entry of a folder, by its name' \
                '--only:Only these, with commas between' \
                '--except:All but these' \
                '--allow:Allow what the files ask for, this once' \
                '--allow-env:Allow this name, although it makes programs run code' \
                '--pristine:Give it no other variables than these and HOME, PATH and the like' \
                '--mask:Show stars in the place of secrets that it writes' \
                '--watch:Start it again when one of its secrets changes' \
                '--sync-every:With --watch: get the changes of others that often' \
                '--on-disk:Where there is no RAM for secrets as files, put them on a disk' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued \
                '-p=-' \
                '--profile=-' \
                '--manifest=file' \
                '-e=-' \
                '--env=-' \
                '--env-file=file' \
                '--all=folder' \
                '--only=-' \
                '--except=-' \
                '--allow-env=-' \
                '--sync-every=-'
            set kinds '-*'
        case 'env'
            set options \
                '-p:Use this profile of the manifest' \
                '--profile:Use this profile of the manifest' \
                '--manifest:The manifest, or a secrets.yml' \
                '-e:One more' \
                '--env:One more' \
                '--env-file:A .env file, with clave:// in it' \
                '--all:Every entry of a folder, by its name' \
                '--only:Only these, with commas between' \
                '--except:All but these' \
                '--allow:Allow what the files ask for, this once' \
                '--allow-env:Allow this name, although it makes programs run code' \
                '--format:Who will read it' \
                '--name:With k8s-secret: the name of the Secret' \
                '--show:Print the values although it is a terminal that they go to' \
                '--direnv-lib:Print what makes \'use clave\' known to direnv' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued \
                '-p=-' \
                '--profile=-' \
                '--manifest=file' \
                '-e=-' \
                '--env=-' \
                '--env-file=file' \
                '--all=folder' \
                '--only=-' \
                '--except=-' \
                '--allow-env=-' \
                '--format==sh,bash,zsh,fish,dotenv,docker,json,yaml,github,k8s-secret,direnv' \
                '--name=-'
        case 'render'
            set options \
                '-o:Write this file, for you alone to read (0600)' \
                '--output:Write this file, for you alone to read (0600)' \
                '--check:Write nothing' \
                '--allow:Allow what the template asks for, this once' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '-o=file' '--output=file'
            set kinds file
        case 'manifest'
            set options '-h:Show this message and exit' '--help:Show this message and exit'
            set commands \
                'init:Make a manifest in this folder.' \
                'add:Add a variable to the manifest.' \
                'check:See whether all that the manifest asks for is there, and readable.'
        case 'manifest init'
            set options '-h:Show this message and exit' '--help:Show this message and exit'
        case 'manifest add'
            set options \
                '-p:Add it to this profile, which is made if it is not there' \
                '--profile:Add it to this profile, which is made if it is not there' \
                '-t:REFERENCE is a template: text with {REFERENCE} in it' \
                '--template:REFERENCE is a template: text with {REFERENCE} in it' \
                '--file:Hand it over as a file' \
                '--optional:The entry need not be there when it is used' \
                '--new:The entry need not be there yet' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '-p=-' '--profile=-'
            set kinds - value
        case 'manifest check'
            set options \
                '-p:Check this profile' \
                '--profile:Check this profile' \
                '--all:Check all profiles' \
                '--json:Print JSON' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '-p=-' '--profile=-'
            set kinds file
        case 'allow'
            set options \
                '--list:List what has been allowed' \
                '--remove:Take back what the file has been allowed' \
                '--sure:Do not ask' \
                '--json:With --list: print JSON' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds file
        case 'ci'
            set options \
                '--key-file:The file with the machine\'s secret key' \
                '--key-fd:The descriptor that gives it' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '--key-file=file' '--key-fd=-'
            set kinds '-*'
        case 'import'
            set options \
                '--into:Put them below this folder' \
                '-n:Only show what would be done' \
                '--dry-run:Only show what would be done' \
                '--on-conflict:What to do with entries that are there with another content' \
                '--lossy:Go on although something is not carried' \
                '--map:With csv: which column is what' \
                '--no-history:Leave out older versions' \
                '--deleted:Bring in also what is in the bin or the archive' \
                '--split:With dotenv: an entry a variable' \
                '--convert:With gopass: read old bodies instead of keeping them as they are' \
                '--skip-unreadable:With pass and gopass: leave out what you cannot decrypt' \
                '--password-file:Read the file\'s password from the first line of FILE' \
                '--password-fd:Read it from file descriptor N' \
                '--key-file:The key file of a KeePass database' \
                '--json:Print the plan as JSON' \
                '--formats:List the formats' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued \
                '--into=folder' \
                '--on-conflict==skip,replace,keep-both,merge' \
                '--map=-' \
                '--password-file=file' \
                '--password-fd=-' \
                '--key-file=file'
            set kinds 'file*'
        case 'export'
            set options \
                '-o:Write this new file, for you alone to read (0600)' \
                '--output:Write this new file, for you alone to read (0600)' \
                '--plaintext:Write a file that anybody who gets it can read' \
                '--encrypt-to:Encrypt the file with gpg' \
                '--lossy:Go on although the format does not carry all of it' \
                '--skip-unreadable:Leave out what you cannot decrypt' \
                '--password-file:Read the new file\'s password from the first line of FILE' \
                '--password-fd:Read it from file descriptor N' \
                '--key-file:A key file for a KeePass database' \
                '--formats:List the formats' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued \
                '-o=file' \
                '--output=file' \
                '--encrypt-to=key' \
                '--password-file=file' \
                '--password-fd=-' \
                '--key-file=file'
            set kinds \
                '=1password-csv,1pux,bitwarden-csv,bitwarden-encrypted,bitwarden-json,bitwarden-zip,chrome,csv,dashlane,dotenv,firefox,json,kdbx,keepass-xml,keepass1-csv,keepassxc-csv,lastpass,nordpass,pass,roboform,safari' \
                'entry*'
        case 'log'
            set options \
                '-n:The newest N operations, 0 for all (on a terminal: 50)' \
                '--number:The newest N operations, 0 for all (on a terminal: 50)' \
                '--verify:Check the signatures, or only say that there is one' \
                '--json:Print JSON' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set valued '-n=-' '--number=-'
            set kinds entry
        case 'diff'
            set options \
                '--reveal:Show the values, line by line' \
                '--json:Print JSON' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds entry - -
        case 'restore'
            set options '-h:Show this message and exit' '--help:Show this message and exit'
            set kinds entry -
        case 'undo'
            set options '-h:Show this message and exit' '--help:Show this message and exit'
        case 'git'
            set kinds \
                '=add,branch,commit,config,diff,fetch,init,log,merge,pull,push,rebase,reflog,remote,reset,restore,show,status*'
        case 'store'
            set options '-h:Show this message and exit' '--help:Show this message and exit'
            set commands \
                'add:Give a store a name.' \
                'list:List the stores that have a name.' \
                'ls:List the stores that have a name.' \
                'default:Choose the store that is used where none is named.' \
                'remove:Forget a store\'s name; its files stay.' \
                'rm:Forget a store\'s name; its files stay.'
            set aliases 'ls=list' 'rm=remove'
        case 'store add'
            set options '-h:Show this message and exit' '--help:Show this message and exit'
            set kinds - path
        case 'store list'
            set options '--json:Print JSON' '-h:Show this message and exit' '--help:Show this message and exit'
        case 'store default'
            set options '-h:Show this message and exit' '--help:Show this message and exit'
            set kinds store
        case 'store remove'
            set options '-h:Show this message and exit' '--help:Show this message and exit'
            set kinds store
        case 'config'
            set options '-h:Show this message and exit' '--help:Show this message and exit'
            set commands \
                'get:Print the value of a setting.' \
                'set:Change a setting in the config file.' \
                'list:List the settings in force and where they come from.' \
                'ls:List the settings in force and where they come from.'
            set aliases 'ls=list'
        case 'config get'
            set options '--json:Print JSON' '-h:Show this message and exit' '--help:Show this message and exit'
            set kinds \
                '=default-store,clip.seconds,clip.selection,generate.length,generate.charset,generate.charset-no-symbols,sync.auto,PASSWORD_STORE_DIR,PASSWORD_STORE_KEY,PASSWORD_STORE_GPG_OPTS,PASSWORD_STORE_SIGNING_KEY,PASSWORD_STORE_UMASK'
        case 'config set'
            set options \
                '--unset:Take the setting out of the file: the default holds again' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
            set kinds \
                '=default-store,clip.seconds,clip.selection,generate.length,generate.charset,generate.charset-no-symbols,sync.auto' \
                -
        case 'config list'
            set options '--json:Print JSON' '-h:Show this message and exit' '--help:Show this message and exit'
        case 'doctor'
            set options \
                '--fix:Mend what can be mended without a loss: permissions, stale locks' \
                '--json:Print JSON' \
                '-h:Show this message and exit' \
                '--help:Show this message and exit'
        case 'completion'
            set options '-h:Show this message and exit' '--help:Show this message and exit'
            set kinds '=bash,zsh,fish'
        case 'help'
            set options '-h:Show this message and exit' '--help:Show this message and exit'
            set kinds 'command*'
        case 'version'
            set options '-h:Show this message and exit' '--help:Show this message and exit'
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
