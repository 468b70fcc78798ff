//! Names that say what may be put before a command, as tables.

/// The shells' own commands that may stay in a line: what they change is passed on to the programs after
/// them, and nothing of the line is read differently for it.
pub(super) const KEPT: &[&str] = &[
    ":", "[", "cd", "echo", "export", "false", "printf", "pwd", "test", "true", "umask",
];

/// Everything else that bash 5, dash and zsh 5 run by themselves, or read as more than a name, sorted. Some
/// are programs, too, but not to the shell that knows them.
const OF_SHELLS: &[&str] = &[
    ".",
    "alias",
    "autoload",
    "bg",
    "bind",
    "bindkey",
    "break",
    "builtin",
    "bye",
    "caller",
    "case",
    "chdir",
    "command",
    "comparguments",
    "compadd",
    "compcall",
    "compctl",
    "compdescribe",
    "compfiles",
    "compgen",
    "compgroups",
    "complete",
    "compopt",
    "compquote",
    "compset",
    "comptags",
    "comptry",
    "compvalues",
    "continue",
    "coproc",
    "declare",
    "dirs",
    "disable",
    "disown",
    "do",
    "done",
    "echotc",
    "echoti",
    "elif",
    "else",
    "emulate",
    "enable",
    "end",
    "esac",
    "eval",
    "exec",
    "exit",
    "fc",
    "fg",
    "fi",
    "float",
    "for",
    "foreach",
    "function",
    "functions",
    "getln",
    "getopts",
    "hash",
    "help",
    "hist",
    "history",
    "if",
    "in",
    "integer",
    "jobs",
    "kill",
    "let",
    "limit",
    "local",
    "log",
    "logout",
    "mapfile",
    "nameref",
    "newgrp",
    "nocorrect",
    "noglob",
    "popd",
    "print",
    "private",
    "pushd",
    "pushln",
    "r",
    "read",
    "readarray",
    "readonly",
    "rehash",
    "repeat",
    "return",
    "sched",
    "select",
    "set",
    "setopt",
    "shift",
    "shopt",
    "source",
    "suspend",
    "then",
    "time",
    "times",
    "trap",
    "ttyctl",
    "type",
    "typeset",
    "ulimit",
    "unalias",
    "unfunction",
    "unhash",
    "unlimit",
    "unset",
    "unsetopt",
    "until",
    "vared",
    "wait",
    "whence",
    "where",
    "which",
    "while",
    "zcompile",
    "zformat",
    "zle",
    "zmodload",
    "zparseopts",
    "zregexparse",
    "zstyle",
];

/// Programs that would notice aido: they show the processes, the terminal or the variables around them, or
/// tell what their output is from a pipe.
const LOOKING_AROUND: &[&str] = &[
    "cmp", "env", "fuser", "jps", "killall", "lsof", "pgrep", "pidof", "pkill", "printenv", "ps",
    "pstree", "stty", "tty", "who", "w",
];

/// Programs that wait for keys.
const INTERACTIVE: &[&str] = &[
    "btop", "dialog", "emacs", "ftp", "fzf", "gdb", "htop", "info", "less", "man", "mc", "more",
    "mosh", "nano", "nvim", "pico", "screen", "script", "telnet", "tig", "tmux", "top", "vi",
    "view", "vim", "vimdiff", "watch", "whiptail",
];

/// Programs whose names are often aliases, which are not looked up behind aido: those that the usual
/// start-up files of shells and distributions define.
const OFTEN_ALIASES: &[&str] = &[
    "cp", "diff", "dir", "egrep", "fgrep", "grep", "ip", "l", "la", "ll", "ln", "ls", "mv", "rm",
    "vdir", "xzegrep", "xzfgrep", "xzgrep", "zegrep", "zfgrep", "zgrep",
];

/// Programs that people have a host ask about, or forbid: its rules must find them where they look.
const RULED: &[&str] = &[
    "apt",
    "apt-get",
    "aws",
    "az",
    "brew",
    "chgrp",
    "chmod",
    "chown",
    "crontab",
    "curl",
    "dd",
    "dnf",
    "doas",
    "docker",
    "gcloud",
    "gh",
    "glab",
    "halt",
    "helm",
    "kubectl",
    "mkfs",
    "mount",
    "nc",
    "ncat",
    "pacman",
    "passwd",
    "podman",
    "poweroff",
    "reboot",
    "rmdir",
    "rsync",
    "scp",
    "sftp",
    "shred",
    "shutdown",
    "ssh",
    "su",
    "sudo",
    "systemctl",
    "terraform",
    "truncate",
    "umount",
    "unlink",
    "wget",
    "yum",
];

/// Programs that only pass on what another prints.
pub(super) const FILTERS: &[&str] = &[
    "awk",
    "base64",
    "cat",
    "column",
    "cut",
    "fold",
    "gawk",
    "head",
    "jq",
    "mawk",
    "md5sum",
    "nl",
    "od",
    "paste",
    "perl",
    "rev",
    "rg",
    "sed",
    "sha256sum",
    "sort",
    "tac",
    "tail",
    "tee",
    "tr",
    "uniq",
    "wc",
    "xxd",
    "yes",
];

/// Variables that aido, or the start of a program, depends on.
const SENSITIVE: &[&str] = &[
    "AI_AGENT",
    "BASH_ENV",
    "CDPATH",
    "ENV",
    "HOME",
    "IFS",
    "LOGNAME",
    "OLDPWD",
    "PATH",
    "POSIXLY_CORRECT",
    "PWD",
    "SHELL",
    "SHELLOPTS",
    "TZ",
    "TZDIR",
    "cdpath",
    "fpath",
    "module_path",
    "path",
];

/// Beginnings of such names.
const SENSITIVE_BEGINNINGS: &[&str] = &["AIDO", "BASH_FUNC", "GLIBC_", "LD_", "MALLOC_", "XDG_"];

/// Whether a shell runs this by itself, or reads it as more than a name.
pub(super) fn is_of_a_shell(head: &str) -> bool {
    OF_SHELLS.contains(&head)
}

/// Whether a program of this name is left as it is.
pub(super) fn is_left_alone(name: &str) -> bool {
    [LOOKING_AROUND, INTERACTIVE, OFTEN_ALIASES, RULED]
        .iter()
        .any(|table| table.contains(&name))
        || name.starts_with("mkfs.")
}

/// Whether a variable of this name is none to be set for aido.
pub(super) fn is_sensitive(name: &str) -> bool {
    SENSITIVE.contains(&name)
        || SENSITIVE_BEGINNINGS
            .iter()
            .any(|beginning| name.starts_with(beginning))
}
