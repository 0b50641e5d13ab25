#!/bin/sh
# The rules of the house that a compiler does not check. Usage: policy_test.sh SOURCE_DIRECTORY BUILD_DIRECTORY
set -u
source=$1
build=$2
cd "$source" || exit 1
failures=0
fail() {
  echo "policy: $*"
  failures=$((failures + 1))
}

# 1. Library code never ends the process and never prints. (_exit is not listed: a child between fork and exec needs it.)
for library in "$build"/src/librhodes_*.a; do
  symbols=$(nm -C --undefined-only "$library" 2>/dev/null | awk '$1 == "U" {print $2}' | sort -u)
  for symbol in exit quick_exit abort puts printf std::cout std::cerr; do
    if printf '%s\n' "$symbols" | grep -qx "$symbol"; then fail "$(basename "$library") uses $symbol"; fi
  done
done

# 2. Floors only look down: a folder includes itself and what src/CMakeLists.txt says it depends on (all the way down).
depends() {
  awk -v want="$1" '/^rhodes_library\(/ { name = $1; sub(/.*\(/, "", name); on = name == want }
    on { for (i = 1; i <= NF; i++) if ($i ~ /^rhodes::/) { gsub(/rhodes::|\)/, "", $i); print $i } }' src/CMakeLists.txt
}
closure() {
  seen=" $1 "
  queue=$1
  while [ -n "$queue" ]; do
    next=""
    for folder in $queue; do
      for below in $(depends "$folder"); do
        case $seen in *" $below "*) ;; *) seen="$seen$below "; next="$next $below" ;; esac
      done
    done
    queue=$next
  done
  echo "$seen"
}
for folder in $(awk '/^rhodes_library\(/ { sub(/.*\(/, "", $1); print $1 }' src/CMakeLists.txt); do
  allowed=$(closure "$folder")
  for include in $(find "src/$folder" -name '*.h' -o -name '*.cc' 2>/dev/null | xargs -r grep -hoE '^#include "[a-z_]+/' | sed 's/.*"//; s,/,,' | sort -u); do
    [ -d "src/$include" ] || continue
    case $allowed in *" $include "*) ;; *) fail "src/$folder includes $include/, which it does not depend on" ;; esac
  done
done

# 3. Every path that the architecture page names exists, and so does every function of its walk.
for path in $(grep -oE '`[a-zA-Z0-9_./-]+/[a-zA-Z0-9_./-]*`' docs/architecture.md | tr -d '\`' | sort -u); do
  case $path in
    out/* | OUT/* | v1/* | /*) continue ;; # what a run makes, and HTTP paths
  esac
  [ -e "$path" ] || [ -e "src/$path" ] || fail "docs/architecture.md names $path, which is not there"
done
for name in $(grep -oE '`[A-Z][A-Za-z]+(::[A-Z][A-Za-z]+)?\(\)`' docs/architecture.md | tr -d '\`()' | sort -u); do
  git grep -qE "\b${name##*::}\(" -- src apps || fail "docs/architecture.md names $name(), which is not there"
done

# 4. README's commands and pages exist.
for target in $(grep -oE '^make [a-z-]+' README.md | cut -d' ' -f2 | sort -u); do
  grep -qE "^$target:" Makefile || fail "README.md says make $target, which is no target"
done
for page in $(grep -oE '\(docs/[a-z-]+\.md\)' README.md docs/*.md | grep -oE 'docs/[a-z-]+\.md' | sort -u); do
  [ -e "$page" ] || fail "$page is linked and not there"
done

# 5. Nothing is built with instructions that the machine at hand may not have.
if git grep -nE 'march=native|mtune=native' -- CMakeLists.txt cmake src apps >/dev/null; then fail "-march=native is used"; fi

if [ "$failures" -gt 0 ]; then
  echo "policy: $failures rules broken"
  exit 1
fi
echo "policy: all rules hold"
