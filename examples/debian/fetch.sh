#!/bin/sh
# Fetches the demo's input from the Debian archive this machine already uses, into data/ beside this file.
# Usage: sh fetch.sh [PACKAGE_LIMIT [DIRECTORY]]     Nothing is installed; root is not needed.
#        A limit below 100 takes a slice: so many packages with changelogs and manual pages, every 40th of the index and
#        the descriptions, no large manuals.
#
#   data/index/Packages              the package index: one record a package
#   data/descriptions/Translation-*  the long descriptions, in several languages
#   data/packages/NAME/              changelogs and manual pages of the packages of a standard system
#   data/manuals/NAME/               handbooks: Debian's handbook (Arabic among its languages), installation guide, FAQ
set -eu
cd "$(dirname "$0")"
limit=${1:-1000}
data=${2:-$PWD/data}
mkdir -p "$data/apt/lists/partial" "$data/apt/archives/partial" "$data/index" "$data/descriptions" "$data/packages" "$data/manuals"

# A state of its own, so that the machine's package lists stay as they are and no root is needed.
apt() {
  command=$1
  shift
  apt-get "$command" -qq -o Dir::State::lists="$data/apt/lists" -o Dir::Cache="$data/apt" -o Acquire::GzipIndexes=false \
    -o 'Acquire::Languages=en,de,es,fr,ru' -o Debug::NoLocking=1 -o APT::Sandbox::User=root "$@"
}

echo "fetch: package index and descriptions"
apt update
pick() { # pick PATTERN: the lists of the main archive that match, the largest first
  find "$data/apt/lists" -maxdepth 1 -name "$1" -size +0 -printf '%s %p\n' | sort -rn | cut -d' ' -f2- | head -n 1
}
index=$(pick '*_main_binary-*_Packages')
if [ -z "$index" ]; then
  echo "fetch: apt-get update brought no package index; is a Debian archive set in /etc/apt/sources.list?" >&2
  exit 1
fi
ln -f "$index" "$data/index/Packages"
for language in en de es fr ru; do
  translation=$(pick "*_i18n_Translation-$language")
  [ -z "$translation" ] || ln -f "$translation" "$data/descriptions/Translation-$language"
done

# Packages of a standard Debian system below 2 MB, from the index itself.
standard=$(awk -v limit="$limit" 'BEGIN { RS = ""; FS = "\n" }
  {
    name = priority = ""; size = 0
    for (i = 1; i <= NF; i++) {
      if ($i ~ /^Package: /) name = substr($i, 10)
      else if ($i ~ /^Priority: /) priority = substr($i, 11)
      else if ($i ~ /^Size: /) size = substr($i, 7) + 0
    }
    if (priority ~ /^(required|important|standard)$/ && size < 2000000 && n < limit) { print name; n++ }
  }' "$data/index/Packages")
manuals="debian-faq"
pages="manpages"
if [ "$limit" -ge 100 ]; then
  manuals="debian-handbook installation-guide-amd64 debian-faq debian-reference-en"
  pages="manpages manpages-dev manpages-de manpages-es manpages-fr manpages-ru"
fi

echo "fetch: $(echo $standard $manuals $pages | wc -w) packages"
mkdir -p "$data/debs"
# Those that are here already are not fetched again.
wanted=""
for package in $standard $manuals $pages; do
  ls "$data/debs/${package}_"*.deb >/dev/null 2>&1 || wanted="$wanted $package"
done
if [ -n "$wanted" ]; then (cd "$data/debs" && apt download $wanted); fi

# unpack DESTINATION PACKAGE FIND-TEST...: keeps the regular files of the package that pass the test.
unpack() {
  destination=$1/$2
  archive=$(ls "$data/debs/$2_"*.deb | head -n 1)
  shift 2
  rm -rf "$data/unpack" "$destination"
  mkdir -p "$data/unpack" "$destination"
  dpkg-deb -x "$archive" "$data/unpack"
  (cd "$data/unpack" && find . -type f "$@" -print0 | LC_ALL=C sort -z | tar --null --no-recursion -T - -cf -) |
    tar -xf - -C "$destination"
  rmdir "$destination" 2>/dev/null || true
}

if [ "$limit" -lt 100 ]; then
  for file in "$data/index/Packages" "$data/descriptions"/Translation-*; do
    awk -v names="$(echo $standard)" 'BEGIN { RS = ""; ORS = "\n\n"; FS = "\n"; count = split(names, list, " ")
        for (i = 1; i <= count; i++) wanted["Package: " list[i]] = 1 }
      NR % 40 == 1 || ($1 in wanted)' "$file" >"$file.slice"
    mv "$file.slice" "$file" # a new file: the list it was linked to stays whole
  done
fi

echo "fetch: unpacking"
for package in $standard; do
  unpack "$data/packages" "$package" \( -path './usr/share/doc/*/changelog*.gz' -o -path './usr/share/man/man*/*' \)
done
# A package with a Debian changelog has its upstream one beside it, in whatever form; only Debian's is the feed.
find "$data/packages" -name 'changelog.Debian.gz' | while read -r changelog; do
  rm -f "$(dirname "$changelog")/changelog.gz"
done
for package in $pages; do
  unpack "$data/manuals" "$package" -path './usr/share/man/*'
done
for package in $manuals; do
  unpack "$data/manuals" "$package" \( \
    -path '*/html/ar-MA/*.html' -o -path '*/html/en-US/*.html' -o -path '*/html/de-DE/*.html' -o -path '*/html/es-ES/*.html' \
    -o -path '*/html/fr-FR/*.html' -o -path '*/html/ru-RU/*.html' \
    -o -name 'install.en.txt.gz' -o -name 'install.de.txt.gz' -o -name 'install.es.txt.gz' -o -name 'install.fr.txt.gz' \
    -o -name 'install.ru.txt.gz' -o -path './usr/share/debian-reference/debian-reference.en.txt.gz' -o -name 'debian-faq.en.txt.gz' \)
done
rm -rf "$data/unpack"
date -u +%FT%TZ >"$data/.complete"
echo "fetch: done, $(du -shL --exclude=apt --exclude=debs "$data" | cut -f1) in $data"
