#!/bin/bash
# Starts and stops the database server as galera-member.py says, where the two are in different containers of a Pod:
# the server's image holds no Python. They talk by small files in a folder that both mount.
#
#   galera-run.sh FOLDER [FILE]   FILE: somebody makes it; when it is gone again there is nothing left to do
#
#   request      the script's: a number, then one argument a line; it is taken away when it is carried out
#   signal       the script's: TERM or KILL, for the server and, with KILL, for everything that it has started
#   boot         this script's: a new text each time it starts, so that a container that was killed is noticed
#   alive        a pipe that this script holds open for reading: a container that is not started again is noticed too
#   pid.N        the server's process of request N
#   exit.N       how it ended
set -u -m
folder="$1/runner" awaited="${2:-}" seen=''
mkdir -p "$folder"
rm -f "$folder"/request "$folder"/signal "$folder"/pid.* "$folder"/exit.*
pid='' number=''
[ -p "$folder/alive" ] || mkfifo "$folder/alive"
exec 8<> "$folder/alive"

tell() { # NAME TEXT: whole or not at all
  printf '%s\n' "$2" > "$folder/$1.new" && mv "$folder/$1.new" "$folder/$1"
}

start() {
  mapfile -t words < "$folder/request"
  rm -f "$folder/request"
  number="${words[0]}"
  # A process group of its own, so that a copy's programs can be ended with it.
  "${words[@]:1}" 8>&- &
  pid=$!
  tell "pid.$number" "$pid"
}

pass_on() {
  name="$(cat "$folder/signal")"
  rm -f "$folder/signal"
  [ -n "$pid" ] || return 0
  if [ "$name" = KILL ]; then kill -KILL -- "-$pid" 2> /dev/null; else kill -TERM "$pid" 2> /dev/null; fi
}

nothing_left() {
  [ -n "$awaited" ] || return 1
  if [ -e "$awaited" ]; then seen=yes; return 1; fi
  [ -n "$seen" ]
}

# The script hands the writes over and then asks for the stop; this container must outlive its own TERM until then.
trap 'leaving=yes' TERM
leaving=''
tell boot "$$-$RANDOM-$(date +%s)"
until nothing_left; do
  if [ -n "$pid" ] && ! kill -0 "$pid" 2> /dev/null; then
    wait "$pid"
    code=$?
    kill -KILL -- "-$pid" 2> /dev/null
    tell "exit.$number" "$code"
    pid=''
    [ -z "$leaving" ] || exit 0
  fi
  [ -f "$folder/signal" ] && pass_on
  [ -z "$pid" ] && [ -z "$leaving" ] && [ -f "$folder/request" ] && start
  [ -n "$leaving" ] && [ -z "$pid" ] && exit 0
  sleep 0.1 8>&-
done
[ -z "$pid" ] || kill -KILL -- "-$pid" 2> /dev/null
