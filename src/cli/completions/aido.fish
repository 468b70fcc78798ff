# Completion of aido for fish. For ~/.config/fish/config.fish: aido completions fish | source
# Or as the file ~/.config/fish/completions/aido.fish.
#
# aido says itself what may stand at the cursor. A command that it would run is handed over to that
# command's own completion.

function __aido_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l wanted (command aido __complete -- $words[2..] "$current" 2>/dev/null)
    set -l kind (string split ' ' -- "$wanted[1]")
    switch "$kind[1]"
        case values
            string join \n -- $wanted[2..]
        case files
            __aido_paths "$current" __fish_complete_path
        case directories
            __aido_paths "$current" __fish_complete_directories
        case command
            test (count $wanted) -gt 1; and string join \n -- $wanted[2..]
            # The words before the command, and aido itself.
            set -l rest $words[(math $kind[2] + 2)..]
            complete --do-complete (string join ' ' -- (string escape -- $rest) "$current")
    end
end

# Completes the path in a word such as --debug-log=PATH, or in one that is a path.
function __aido_paths --argument-names word complete
    set -l parts (string match --regex -- '^(--[^=]*=)(.*)$' $word)
    if test (count $parts) -eq 3
        $complete $parts[3] | string replace --regex -- '^' $parts[2]
    else
        $complete $word
    end
end

complete --command aido --no-files --keep-order --arguments '(__aido_complete)'
