# Completion of aido for bash. For ~/.bashrc: source <(aido completions bash)
#
# aido says itself what may stand at the cursor. A command that it would run is handed over to that
# command's own completion.

_aido() {
    # The words as aido would get them: bash splits at "=", ":" and "@" too.
    local rest=${COMP_LINE:0:COMP_POINT} after word index
    local -a words=() starts=()
    for ((index = 0; index <= COMP_CWORD; index++)); do
        after=${rest#"${rest%%[![:space:]]*}"}
        word=${COMP_WORDS[index]}
        # The last one counts up to the cursor.
        ((index < COMP_CWORD)) || word=$after
        if ((index > 0)) && [[ $after == "$rest" ]]; then
            words[-1]+=$word
        else
            words+=("$word")
            starts+=("$index")
        fi
        rest=${after#"$word"}
    done

    local current=${words[-1]} wanted=() kind offset
    mapfile -t wanted < <(aido __complete -- "${words[@]:1}" 2>/dev/null)
    read -r kind offset <<<"${wanted[0]-}"
    wanted=("${wanted[@]:1}")
    case $kind in
        values)
            _aido_values "$current" "${wanted[@]}"
            compopt +o default +o bashdefault
            ;;
        directories)
            compopt -o dirnames +o default +o bashdefault
            ;;
        command)
            if ((offset + 2 < ${#words[@]})); then
                _aido_hand_over "${starts[offset + 1]}"
            else
                _aido_values "$current" "${wanted[@]}"
                _aido_programs "$current"
            fi
            ;;
    esac
}

# Offers values, which stand before a tab and a description.
_aido_values() {
    local current=$1 breaks= kept= line value width=0
    shift
    # What bash has split off stays on the line and must not be repeated. It splits at "@" too, but
    # takes that for a part of what comes after.
    for value in = :; do
        [[ $COMP_WORDBREAKS == *"$value"* ]] && breaks+=$value
    done
    [[ $breaks && $current == *["$breaks"]* ]] && kept=${current%"${current##*["$breaks"]}"}
    compopt -o nosort
    local -a values=()
    for line in "$@"; do
        value=${line%%$'\t'*}
        value=${value#"$kept"}
        values+=("$value")
        ((${#value} > width)) && width=${#value}
    done
    # A list that is only looked at shows the descriptions; nothing of it is inserted.
    if ((COMP_TYPE == 63 && ${#values[@]} > 1)); then
        for line in "$@"; do
            value=${line%%$'\t'*}
            printf -v line '%-*s  %s' "$width" "${value#"$kept"}" "${line#*$'\t'}"
            # Long enough for a line of its own, and not longer than one.
            printf -v line '%-*s' $((${COLUMNS:-80} / 2)) "${line:0:${COLUMNS:-80}-1}"
            COMPREPLY+=("$line")
        done
    else
        COMPREPLY=("${values[@]}")
    fi
}

# Offers programs: no builtins, functions and aliases, which aido can't run.
_aido_programs() {
    local current=$1 name
    local -A own=()
    while IFS= read -r name; do
        own[$name]=1
    done < <(compgen -abk -A function -- "$current")
    while IFS= read -r name; do
        [[ ${own[$name]-} ]] && ! type -P -- "$name" >/dev/null && continue
        COMPREPLY+=("$name")
    done < <(compgen -c -- "$current" | sort -u)
    [[ $current == */* ]] && compopt -o filenames
}

# Completes the command that begins with this word as if aido were not there.
_aido_hand_over() {
    # bash-completion knows how, and loads what isn't loaded yet.
    if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset "$1"
        return
    elif declare -F _command_offset >/dev/null; then
        _command_offset "$1"
        return
    fi
    local index line=$COMP_LINE point=$COMP_POINT after specification
    for ((index = 0; index < $1; index++)); do
        after=${line#*"${COMP_WORDS[index]}"}
        after=${after#"${after%%[![:space:]]*}"}
        ((point -= ${#line} - ${#after}))
        line=$after
    done
    local -a COMP_WORDS=("${COMP_WORDS[@]:$1}")
    local COMP_CWORD=$((COMP_CWORD - $1)) COMP_LINE=$line COMP_POINT=$point
    local current=${COMP_WORDS[COMP_CWORD]}
    specification=$(complete -p -- "${COMP_WORDS[0]##*/}" 2>/dev/null) || return
    # "complete", options and actions, and the command's name.
    specification=${specification#complete }
    specification=${specification% *}
    while [[ $specification =~ ^(.*)-o\ ([a-z]+)\ ?(.*)$ ]]; do
        specification=${BASH_REMATCH[1]}${BASH_REMATCH[3]}
        compopt -o "${BASH_REMATCH[2]}"
    done
    if [[ $specification =~ -F\ ([^\ ]+) ]]; then
        "${BASH_REMATCH[1]}" "${COMP_WORDS[0]}" "$current" "${COMP_WORDS[COMP_CWORD - 1]}"
    else
        # bash has quoted it so that it can be read again.
        mapfile -t COMPREPLY < <(eval "compgen $specification -- \"\$current\"")
    fi
}

complete -o bashdefault -o default -F _aido aido
