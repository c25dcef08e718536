# bash completion for torrent-mover; made by make template
_torrent_mover() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command="" each
    COMPREPLY=()
    for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$each" in demo|doctor|init|status|history|log) command=$each ;; esac
    done
    case "$command $before" in
        init" --config") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        init" --mode") COMPREPLY=($(compgen -W "sftp rsync sftp_upload rsync_upload" -- "$word")); return ;;
        init" --category") return ;;
        init" --source-url") return ;;
        init" --source-user") return ;;
        init" --source-password-file") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        init" --destination-url") return ;;
        init" --destination-user") return ;;
        init" --destination-password-file") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        init" --source-ssh") return ;;
        init" --source-ssh-key") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        init" --source-ssh-password-file") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        init" --destination-ssh") return ;;
        init" --destination-ssh-key") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        init" --destination-ssh-password-file") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        init" --destination-path") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        init" --known-hosts") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        init" --host-key") return ;;
        history" --last") return ;;
        *" --config") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        *" --parallel-jobs") return ;;
        *" --refresh") return ;;
        *" --graph") COMPREPLY=($(compgen -W "auto braille block ascii" -- "$word")); return ;;
        *" --theme") COMPREPLY=($(compgen -W "auto dark light contrast mono" -- "$word")); return ;;
        *" -a"|*" --add-rule") return ;;
        *" -d"|*" --delete-rule") COMPREPLY=($(compgen -W "$(torrent-mover --list-rules 2>/dev/null | grep -v ' no rules' | cut -d ' ' -f 1)" -- "$word")); return ;;
        *" --clear-recheck-failure") COMPREPLY=($(compgen -W "$({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")); return ;;
        *" --clear-corruption") COMPREPLY=($(compgen -W "$({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")); return ;;
        *" --category") return ;;
    esac
    case "$command" in
        demo) COMPREPLY=($(compgen -W "-h --help --simple --keep --serve" -- "$word")) ;;
        doctor) COMPREPLY=($(compgen -W "-h --help --notify --json" -- "$word")) ;;
        init) COMPREPLY=($(compgen -W "-h --help --config --mode --category --source-url --source-user --source-password-file --destination-url --destination-user --destination-password-file --source-ssh --source-ssh-key --source-ssh-password-file --destination-ssh --destination-ssh-key --destination-ssh-password-file --destination-path --known-hosts --host-key --yes --overwrite" -- "$word")) ;;
        status) COMPREPLY=($(compgen -W "-h --help --json" -- "$word")) ;;
        history) COMPREPLY=($(compgen -W "-h --help --csv --last --json" -- "$word")) ;;
        log) COMPREPLY=($(compgen -W "-h --help --json $({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")) ;;
        *) COMPREPLY=($(compgen -W "-h --help --version --config --dry-run --test-run --json --parallel-jobs --watch --again --simple -q --quiet --debug --refresh --graph --theme --no-mouse --check-config -c --categorize -l --list-rules -a --add-rule -d --delete-rule --test-permissions --clear-recheck-failure --clear-corruption --category -nr --no-rules --apply demo doctor init status history log" -- "$word")) ;;
    esac
}
complete -o filenames -F _torrent_mover torrent-mover
