// What a shell loads to complete `podroute`: it hands the words of the line to `podroute __complete` and shows what that
// answers (lines of WORD, a tab, what it means; ':files' for names of files). The words themselves are in completion-words.ts.

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The line that says that names of files fit. */
export const FILES_LINE = ':files';

const bash = String.raw`# podroute for bash. In ~/.bashrc: source <(podroute completion bash)
_podroute() {
  local line words current cut
  COMPREPLY=()
  # Readline cuts words at ':' and '=', which ids of sessions have; the line is taken as it stands.
  line=$COMP_LINE; line=\${line:0:COMP_POINT}
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current=\${words[\${#words[@]}-1]}
  cut=\${current%"\${current##*[:=]}"}
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o default 2>/dev/null
    else
      line=\${line%%$'\t'*}
      COMPREPLY+=("\${line#"$cut"}")
    fi
  done < <("\${words[0]/#\~/$HOME}" __complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _podroute podroute
`;

const zsh = String.raw`#compdef podroute
# podroute for zsh. In ~/.zshrc, behind compinit: source <(podroute completion zsh)
_podroute() {
  local -a found
  local line files
  for line in "\${(@f)$("\${(Q)words[1]}" __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == :files ]]; then
      files=1
    elif [[ -n $line ]]; then
      found+=("\${\${line%%$'\t'*}//:/\\:}:\${line#*$'\t'}")
    fi
  done
  (( \${#found} )) && _describe podroute found
  [[ -n $files ]] && _files
}
if [[ \${funcstack[1]} == _podroute ]]; then
  _podroute "$@"
else
  compdef _podroute podroute
fi
`;

const fish = String.raw`# podroute for fish: podroute completion fish > ~/.config/fish/completions/podroute.fish
function __podroute_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete -c podroute -f -a '(__podroute_complete)'
`;

/** Without the backslashes that keep ${'${'} from being a template's. */
const plain = (script: string): string => script.replaceAll('\\${', '${');

export const COMPLETION_SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: plain(bash),
  zsh: plain(zsh),
  fish: plain(fish),
};
