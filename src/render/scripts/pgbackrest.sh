#!/bin/sh
# PostgreSQL's way to pgBackRest's archive. It is the same in all clusters: whether there is a repository, it reads when
# it runs, so backups can come and go without a restart.
#
#   pgbackrest.sh push %p      archive_command, on primaries and standbys (archive_mode always)
#   pgbackrest.sh get %f %p    restore_command
#
# The archive must never stand in the way of a member's return, and no file may be given up before it is archived:
# a primary sends; a standby keeps each file until the primary has sent it, so that any of them can go on from there.
set -u

WAITS=
CONFIG=${PGBACKREST_CONFIG:-/etc/everest/pgbackrest.conf}
STATE=${PGBACKREST_CONFIG_INCLUDE_PATH:-/run/postgresql/backup}
SEEN=$STATE/seen
# The repository of the data that this server has; only `*.conf` is read by pgBackRest itself.
KEPT=$STATE/kept

replacement() {
  sed -n '/^  "replacement": {/,/^  }/s/^    "'"$1"'": "\{0,1\}\([^",]*\).*/\1/p' "$FOLDER/cluster.json" 2> /dev/null
}

# As member.py's replacement_waits: a restore in place, or its taking back, is declared, and these data are from before.
replacement_waits() {
  name=$(replacement name)
  [ -n "$name" ] || return 1
  case "$(replacement putBack)" in
    true) [ -d "../before-$name" ] ;;
    *) ! [ -d "../before-$name" ] && ! [ -d "../rejected-$name" ] && ! [ -d "../accepted-$name" ] ;;
  esac
}

# The declaration of a restore in place names another repository. The server that still runs belongs to the old data:
# it goes on with the repository that it had, so that nothing is missing there when they come back.
choose_repository() {
  [ "$CONFIG" = "$STATE/source" ] && return
  if replacement_waits; then
    WAITS=y CONFIG=$KEPT
    export PGBACKREST_CONFIG="$KEPT"
    [ -f "$KEPT" ] || { echo "everest: a restore in place is declared; $* is kept until the Pods are deleted." >&2; exit 1; }
  elif ! cmp -s "$FOLDER/${CONFIG##*/}" "$KEPT"; then
    cp "$FOLDER/${CONFIG##*/}" "$KEPT.$$" && mv "$KEPT.$$" "$KEPT"
  fi
}

run() {
  pgbackrest --stanza=db "$@"
}

# True when the file was written less than so many seconds ago.
fresh() {
  [ -n "$(find "$1" -newermt "-$2 seconds" 2>/dev/null)" ]
}

is_standby() {
  [ -f standby.signal ]
}

# The last line of the postmaster's pid file is its state; without the file it is gone.
is_stopping() {
  state=
  while read -r line; do state=$line; done 2> /dev/null < postmaster.pid
  case "$state" in
    stopping | '') return 0 ;;
    *) return 1 ;;
  esac
}

# Names of the folder of this file that are in all repositories. Where a timeline ends within a segment, standbys keep
# that segment, and the primary sends what is in it as `.partial`: it stands for both.
list() {
  name=$1
  repositories=$(sed -n 's/^repo\([0-9]*\)-path=.*/\1/p' "$CONFIG")
  folder=
  case "$name" in *.history) ;; *) folder=/$(expr "$name" : '\(.\{16\}\)') ;; esac
  for key in $repositories; do
    archive=$(timeout 20 pgbackrest --repo="$key" repo-ls archive/db | grep -E '^[0-9]+-[0-9]+$' | sort -t - -k 2 -n | tail -n 1)
    [ -n "$archive" ] && timeout 20 pgbackrest --repo="$key" repo-ls "archive/db/$archive$folder" |
      sed -E 's/-[0-9a-f]{40}(\.[a-z0-9]+)?$//' | sed -n 'p; s/\.partial$//p' | sort -u
  done | sort | uniq -c |
    awk -v all="$(echo "$repositories" | wc -w)" '$1 == all { print $2 }'
}

# Beside the caller, so that it sees at once when the server is promoted or stops.
look() {
  fresh "$SEEN.asked" 15 && return
  : > "$SEEN.asked"
  (list "$1" > "$SEEN.$$" 2> /dev/null && [ -s "$SEEN.$$" ] && mv "$SEEN.$$" "$SEEN"; rm -f "$SEEN.$$") &
}

# A standby's copy is a spare, and the last one when the primary is lost too. It is given up where the volume would fill,
# at half of what the agent keeps free by stopping writes (decide/log-room.ts): 1/20, within 48 to 512 MiB.
is_full() {
  df -Pk pg_wal/ | awk 'NR == 2 { kept = $2 / 20; if (kept < 49152) kept = 49152; if (kept > 524288) kept = 524288; exit ($4 >= kept) }'
}

# Returns when this server is to send the file itself.
wait_as_standby() {
  read -r server < postmaster.pid
  while is_standby; do
    is_stopping && exit 1
    read -r now < postmaster.pid || exit 1
    [ "$now" = "$server" ] || exit 1
    grep -qxF "$1" "$SEEN" 2> /dev/null && exit 0
    if is_full; then
      echo "everest: the volume is nearly full; $1 is not kept here any longer, the primary still has it." >&2
      exit 0
    fi
    look "$1"
    sleep 1
  done
}

# True in a cluster that follows another one: what it receives is in that one's archive, or on its way there.
follows() {
  grep -qs '^  "standby": {' "$FOLDER/cluster.json"
}

# What may be missing: a Secret that was not there, or has changed; the stanza. Quiet for a while after each try.
prepare() {
  [ -z "$WAITS" ] || return 1
  fresh "$STATE/prepared" 15 && return 1
  : > "$STATE/prepared"
  timeout 40 python3 "${0%/*}/member.py" prepare-archive
}

# Before Patroni recovers a crashed server it takes the marks off all files that wait for the archive. PostgreSQL would
# mark segments again much later, and files of the history never: a recovery would not find the timelines after them.
# Beside the database, since pg_rewind and restores write in it.
remember() {
  echo "${1##*/}" >> "${1%/pg_wal/*}/../archive-waiting"
}

# Marks a file that is there and not archived.
mark() {
  [ -f "pg_wal/$1" ] && [ ! -f "pg_wal/archive_status/$1.done" ] && : >> "pg_wal/archive_status/$1.ready"
}

recall() {
  for file in pg_wal/*.history; do
    mark "${file##*/}"
  done
  [ -f ../archive-waiting ] || return
  sort -u ../archive-waiting | while read -r name; do
    mark "$name"
  done
  rm -f ../archive-waiting
}

# A sender before has taken this file along. pgBackRest would only look here too, and to start it, or anything else, costs
# more than that; under load this is most of what is asked.
is_sent() {
  [ "$1" = push ] && [ -f postmaster.pid ] && [ -f "../spool/archive/db/out/${2##*/}.ok" ] &&
    [ ! -s "../spool/archive/db/out/${2##*/}.ok" ]
}

# A sender takes along what waits when it starts, and its start costs more than some segments: while a few wait already,
# more of them gather for a second. Many do not wait, since then nothing but sending gets them away.
gather() {
  set -- pg_wal/archive_status/*.ready
  [ "$#" -gt 1 ] && [ "$#" -le 8 ] || return
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    is_stopping && return
    sleep 0.1
  done
}

send() {
  run --archive-timeout="$limit" archive-push "$1" || return
  gather
  exit 0
}

push() {
  [ -s "$CONFIG" ] || exit 0
  # What a recovery replays came out of an archive, and not always out of this one.
  [ -f recovery.signal ] && ! is_standby && exit 0
  # Until Patroni has come to its end a recovery may begin anew, and would write other files under these names.
  [ -f ../recovery-unfinished ] && exit 1
  # PostgreSQL runs this in its data directory. Anybody else is Patroni, which tries each waiting file before a crashed
  # member may return; the file is still waiting when the server runs again, here or on the new primary.
  if [ ! -f postmaster.pid ]; then
    remember "$1"
    exit 1
  fi
  recall
  if is_standby && follows; then
    # What a demoted primary had written before has no other sender.
    [ "$1" -ot standby.signal ] || exit 0
  elif is_standby; then
    wait_as_standby "${1##*/}"
  fi
  # The sending goes on in the background. A server that stops must not wait for a storage that is away.
  limit=10
  is_stopping && limit=1
  send "$1"
  is_stopping && exit 1
  prepare && send "$1"
  exit 1
}

# The end of the archive ends a recovery for good, so "not there" has to be true.
get_patiently() {
  while :; do
    run archive-get "$1" "$2"
    code=$?
    [ "$code" -le 1 ] && exit "$code"
    echo "everest: $1 cannot be read from the archive yet (pgBackRest ended with $code); trying again." >&2
    sleep 2
  done
}

# Of the repository of a cluster that is followed: the demotion may be a moment old, or a key have changed.
prepare_source() {
  [ "$STATE" = /run/postgresql/recovery ] && follows || return 1
  mkdir -p "$STATE"
  fresh "$STATE/prepared" 15 && return 1
  : > "$STATE/prepared"
  timeout 40 python3 "${0%/*}/recovery.py" prepare-source
}

# A standby that has just lost its primary asks here before it looks for the next one, first for a newer timeline, and a
# server that is to be promoted waits for the end of this command: commits wait for both. What it was receiving a moment
# ago is hardly in the archive, and one that answers does so within half a second.
get_briefly() {
  limit=3
  case "$1" in
    *.history) limit=0.5 ;;
    *) [ -f "pg_wal/$1" ] && fresh "pg_wal/$1" 120 && limit=0.5 ;;
  esac
  timeout "$limit" pgbackrest --stanza=db archive-get "$1" "$2" &
  asked=$!
  (sleep 0.5; until [ -f promote ]; do sleep 0.1; done; kill "$asked") 2> /dev/null &
  watcher=$!
  wait "$asked"
  code=$?
  kill "$watcher" 2> /dev/null
  return "$code"
}

get() {
  [ -s "$CONFIG" ] || prepare_source || exit 1
  [ -f recovery.signal ] && ! is_standby && get_patiently "$@"
  # A standby asks again, here and at its primary: while the archive is away it must not wait for it.
  fresh "$STATE/away" 15 && exit 1
  get_briefly "$1" "$2"
  code=$?
  [ "$code" -le 1 ] && exit "$code"
  : > "$STATE/away"
  prepare_source
  exit 1
}

is_sent "$@" && exit 0
# One state of the ConfigMap, also while the kubelet brings another one.
FOLDER=$(readlink -e "${0%/*}/..data" || echo "${0%/*}")
# Where PostgreSQL runs: in its data directory.
[ -f PG_VERSION ] && choose_repository "$@"
"$@"
