#compdef aido
# Completion of aido for zsh. For ~/.zshrc, after compinit: source <(aido completions zsh)
# Or as a file with the name _aido in a directory of $fpath.
#
# aido says itself what may stand at the cursor. A command that it would run is handed over to that
# command's own completion.

_aido() {
    local -a asked wanted values
    local line value
    asked=("${(@Q)words[2,CURRENT]}")
    asked[CURRENT-1]=${(Q)PREFIX}
    wanted=("${(@f)$(command aido __complete -- "${asked[@]}" 2>/dev/null)}")
    for line in "${(@)wanted[2,-1]}"; do
        value=${line%%$'\t'*}
        values+=("${value//:/\\:}:${line#*$'\t'}")
    done
    case $wanted[1] in
        values)
            _describe -V -t values 'value' values
            ;;
        files)
            compset -P '--*='
            _files
            ;;
        directories)
            compset -P '--*='
            _files -/
            ;;
        command\ *)
            (( $#values )) && _describe -t words 'word of aido' values
            local -i offset=${wanted[1]#command }
            shift $(( offset + 1 )) words
            (( CURRENT -= offset + 1 ))
            _normal -p aido
            ;;
    esac
}

if [[ ${funcstack[1]} == _aido ]]; then
    _aido "$@"
else
    compdef _aido aido
fi
