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
    "pstree", "stty", "tty", "who", "w", "zip",
];

/// Programs that look at every file below a directory: at what an earlier command of the line left behind when
/// it was recorded, too.
const WALKING: &[&str] = &[
    "7z", "bsdtar", "cpio", "du", "fd", "fdfind", "find", "ncdu", "pax", "rsync", "tar", "tree",
    "zip",
];

/// Programs that do so when one of these is among their arguments.
const WALKING_WITH: &[(&str, &[&str])] = &[
    (
        "git",
        &[
            "clean",
            "ls-files",
            "stash",
            "--ignored",
            "--others",
            "--force",
            "-f",
        ],
    ),
    ("cp", &["-a", "--archive", "-r", "-R", "--recursive"]),
    ("egrep", &["-r", "-R", "--recursive"]),
    ("fgrep", &["-r", "-R", "--recursive"]),
    (
        "grep",
        &["-r", "-R", "--recursive", "--dereference-recursive"],
    ),
    ("ls", &["-R", "--recursive"]),
    (
        "rg",
        &["-u", "-.", "--hidden", "--no-ignore", "--unrestricted"],
    ),
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

/// Programs that only pass on what another prints, when they stand in a pipeline: aido isn't put before them
/// there.
pub const FILTERS: &[&str] = &[
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

/// Variables that aido, or the start of a program, depends on, and those that mean something to one of the
/// shells: setting them does more than giving them to a program. Sorted.
const SENSITIVE: &[&str] = &[
    "AI_AGENT",
    "ARGC",
    "ARGV0",
    "CDPATH",
    "COPROC",
    "CPUTYPE",
    "DIRSTACK",
    "EGID",
    "ENV",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "ERRNO",
    "EUID",
    "EXECIGNORE",
    "FIGNORE",
    "FPATH",
    "FUNCNAME",
    "FUNCNEST",
    "GID",
    "GLOBIGNORE",
    "GROUPS",
    "HOME",
    "HOST",
    "HOSTTYPE",
    "IFS",
    "IGNOREEOF",
    "INSIDE_EMACS",
    "KEYTIMEOUT",
    "LINENO",
    "LOGNAME",
    "MACHTYPE",
    "MAILCHECK",
    "MAPFILE",
    "MODULE_PATH",
    "NULLCMD",
    "OLDPWD",
    "OPTARG",
    "OPTERR",
    "OPTIND",
    "OSTYPE",
    "PATH",
    "PIPESTATUS",
    "POSIXLY_CORRECT",
    "POSTEDIT",
    "PPID",
    "PWD",
    "RANDOM",
    "READNULLCMD",
    "REPLY",
    "RPROMPT",
    "SECONDS",
    "SHELL",
    "SHELLOPTS",
    "SHLVL",
    "SRANDOM",
    "STTY",
    "TIMEFMT",
    "TIMEFORMAT",
    "TMOUT",
    "TMPPREFIX",
    "TMPSUFFIX",
    "TRY_BLOCK_ERROR",
    "TTY",
    "TTYIDLE",
    "TZ",
    "TZDIR",
    "UID",
    "USERNAME",
    "VENDOR",
    "WATCH",
    "WATCHFMT",
    "WORDCHARS",
    "_",
    "aliases",
    "argv",
    "builtins",
    "cdpath",
    "commands",
    "fignore",
    "fpath",
    "funcstack",
    "functions",
    "galiases",
    "histchars",
    "history",
    "jobdirs",
    "jobstates",
    "jobtexts",
    "keymaps",
    "mailpath",
    "manpath",
    "module_path",
    "modules",
    "nameddirs",
    "options",
    "parameters",
    "path",
    "patchars",
    "pipestatus",
    "prompt",
    "psvar",
    "reswords",
    "saliases",
    "signals",
    "status",
    "userdirs",
    "usergroups",
    "watch",
    "widgets",
];

/// Beginnings of such names.
const SENSITIVE_BEGINNINGS: &[&str] = &[
    "AIDO",
    "BASH",
    "COMP_",
    "GLIBC_",
    "HIST",
    "LD_",
    "MALLOC_",
    "PROMPT",
    "PS",
    "READLINE_",
    "XDG_",
    "ZDOTDIR",
    "ZLS_",
    "ZSH_",
    "dis_",
];

/// Variables that hold the line, or the command that is being run, as the shell has it.
const TELLING: &[&str] = &[
    "funcsourcetrace",
    "functrace",
    "history",
    "historywords",
    "jobtexts",
];

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

/// Whether a program with these arguments looks at every file below a directory.
pub(super) fn is_walking(name: &str, mut arguments: impl Iterator<Item = impl AsRef<str>>) -> bool {
    if WALKING.contains(&name) {
        return true;
    }
    let Some((_, with)) = WALKING_WITH.iter().find(|(known, _)| *known == name) else {
        return false;
    };
    arguments.any(|argument| {
        let argument = argument.as_ref();
        let short = argument
            .strip_prefix('-')
            .filter(|rest| !rest.starts_with('-'));
        with.iter()
            .any(|option| match (option.strip_prefix('-'), short) {
                // Letters stand together, in any order.
                (Some(letter), Some(letters)) if letter.len() == 1 => letters.contains(letter),
                _ => argument.split('=').next() == Some(option),
            })
    })
}

/// Whether a variable of this name says what the shell runs, which is another text with aido in it.
pub(super) fn is_telling(name: &str) -> bool {
    TELLING.contains(&name) || name.starts_with("BASH_") || name.starts_with("ZSH_")
}
