# bash completion for torrent-mover; made by make template
_torrent_mover() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command="" each
    COMPREPLY=()
    for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$each" in demo|doctor|move|serve|attach|pause|resume|retry|skip|limit|init|tier|health|debrid|arr|status|history|log|journal) command=$each ;; esac
    done
    case "$command $before" in
        doctor" --timeout") return ;;
        move" --route") return ;;
        serve" --every") return ;;
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
        init" --client-type") COMPREPLY=($(compgen -W "rtorrent qbittorrent" -- "$word")); return ;;
        init" --client-url") return ;;
        init" --client-user") return ;;
        init" --client-password-file") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        init" --arr-url") return ;;
        init" --arr-key-file") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        init" --from-qbitrr") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        init" --from-rdtm") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        init" --from-env") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        init" --session-folder") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        init" --ssd") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        init" --targets") return ;;
        init" --free-low") return ;;
        init" --debrid-type") COMPREPLY=($(compgen -W "realdebrid torbox alldebrid premiumize" -- "$word")); return ;;
        init" --debrid-token-file") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        init" --debrid-url") return ;;
        init" --mount") return ;;
        init" --media-root") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        tier" --now") COMPREPLY=($(compgen -W "$({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")); return ;;
        tier" --dry-run") COMPREPLY=($(compgen -W "$({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")); return ;;
        tier" --explain") COMPREPLY=($(compgen -W "$({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")); return ;;
        tier" --pin") COMPREPLY=($(compgen -W "$({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")); return ;;
        tier" --unpin") COMPREPLY=($(compgen -W "$({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")); return ;;
        tier" --evict") COMPREPLY=($(compgen -W "$({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")); return ;;
        tier" --verify") COMPREPLY=($(compgen -W "$({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")); return ;;
        tier" --recopy") COMPREPLY=($(compgen -W "$({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")); return ;;
        tier" --set-aside") COMPREPLY=($(compgen -W "$({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")); return ;;
        tier" --put-back") COMPREPLY=($(compgen -W "$({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")); return ;;
        tier" --tier") return ;;
        health" --explain") COMPREPLY=($(compgen -W "$({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")); return ;;
        health" --hold") COMPREPLY=($(compgen -W "$({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")); return ;;
        health" --release") COMPREPLY=($(compgen -W "$({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")); return ;;
        health" --reset") COMPREPLY=($(compgen -W "$({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")); return ;;
        health" --undo") return ;;
        health" --for") return ;;
        debrid" --account") return ;;
        debrid" --path") return ;;
        debrid" --link") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        debrid" --from") COMPREPLY=($(compgen -W "quick full symlinks links" -- "$word")); return ;;
        debrid" --limit") return ;;
        debrid" --drop") COMPREPLY=($(compgen -W "$({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")); return ;;
        debrid" --since") return ;;
        arr" --explain") COMPREPLY=($(compgen -W "$({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")); return ;;
        arr" --scan") COMPREPLY=($(compgen -W "$({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")); return ;;
        history" --last") return ;;
        journal" --older") return ;;
        *" --config") mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        *" --parallel-jobs") return ;;
        *" --route") return ;;
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
        demo) COMPREPLY=($(compgen -W "-h --help --simple --keep --serve --servers" -- "$word")) ;;
        doctor) COMPREPLY=($(compgen -W "-h --help --notify --healthcheck --strict --timeout --json" -- "$word")) ;;
        move) COMPREPLY=($(compgen -W "-h --help --test-run --simple -q --quiet --route $({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")) ;;
        serve) COMPREPLY=($(compgen -W "-h --help --no-web --every --healthcheck -q --quiet" -- "$word")) ;;
        attach) COMPREPLY=($(compgen -W "-h --help" -- "$word")) ;;
        pause) COMPREPLY=($(compgen -W "-h --help $({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")) ;;
        resume) COMPREPLY=($(compgen -W "-h --help $({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")) ;;
        retry) COMPREPLY=($(compgen -W "-h --help $({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")) ;;
        skip) COMPREPLY=($(compgen -W "-h --help $({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")) ;;
        limit) COMPREPLY=($(compgen -W "-h --help" -- "$word")) ;;
        init) COMPREPLY=($(compgen -W "-h --help --config --mode --category --source-url --source-user --source-password-file --destination-url --destination-user --destination-password-file --source-ssh --source-ssh-key --source-ssh-password-file --destination-ssh --destination-ssh-key --destination-ssh-password-file --destination-path --known-hosts --host-key --yes --overwrite --client-type --client-url --client-user --client-password-file --arr-url --arr-key-file --from-qbitrr --from-rdtm --from-env --session-folder --ssd --targets --free-low --debrid-type --debrid-token-file --debrid-url --mount --media-root" -- "$word")) ;;
        tier) COMPREPLY=($(compgen -W "-h --help --now --request --status --process-queue --clear-queue --dry-run --explain --pin --unpin --evict --verify --recopy --left --set-aside --put-back --healthcheck --watch --strict --yes --tier --json --simple -q --quiet $({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")) ;;
        health) COMPREPLY=($(compgen -W "-h --help --watch --explain --check --hold --release --reset --actions --search --undo --bin --empty-bin --dry-run --for --json -q --quiet --simple" -- "$word")) ;;
        debrid) COMPREPLY=($(compgen -W "-h --help --account --json --dry-run --simple -q --quiet --quick --full --symlinks --links --path --pick --link --from --limit --now --drop --since --once --stay" -- "$word")) ;;
        arr) COMPREPLY=($(compgen -W "-h --help --explain --scan --json" -- "$word")) ;;
        status) COMPREPLY=($(compgen -W "-h --help --json" -- "$word")) ;;
        history) COMPREPLY=($(compgen -W "-h --help --csv --last --json" -- "$word")) ;;
        log) COMPREPLY=($(compgen -W "-h --help --json $({ torrent-mover status --json; torrent-mover history --json; } 2>/dev/null | grep -oE '[0-9a-f]{40}' | sort -u)" -- "$word")) ;;
        journal) COMPREPLY=($(compgen -W "-h --help --older --dry-run --json $(echo backup check purge recover vacuum)" -- "$word")) ;;
        *) COMPREPLY=($(compgen -W "-h --help --version --config --dry-run --test-run --json --parallel-jobs --watch --again --route --simple -q --quiet --debug --refresh --graph --theme --no-mouse --check-config -c --categorize -l --list-rules -a --add-rule -d --delete-rule --test-permissions --clear-recheck-failure --clear-corruption --category -nr --no-rules --apply demo doctor move serve attach pause resume retry skip limit init tier health debrid arr status history log journal" -- "$word")) ;;
    esac
}
complete -o filenames -F _torrent_mover torrent-mover
