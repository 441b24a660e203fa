#!/bin/bash
# Starts and stops the database server as galera-member.py says, where the two are in different containers of a Pod:
# the server's image holds no Python. They talk by small files in a folder that both mount.
#
#   request      the script's: a number, then one argument a line; it is taken away when it is carried out
#   signal       the script's: TERM or KILL, for the server and, with KILL, for everything that it has started
#   boot         this script's: a new text each time it starts, so that a container that was killed is noticed
#   pid.N        the server's process of request N
#   exit.N       how it ended
set -u -m
folder="$1/runner"
mkdir -p "$folder"
rm -f "$folder"/request "$folder"/signal "$folder"/pid.* "$folder"/exit.*
pid='' number=''

tell() { # NAME TEXT: whole or not at all
  printf '%s\n' "$2" > "$folder/$1.new" && mv "$folder/$1.new" "$folder/$1"
}

start() {
  mapfile -t words < "$folder/request"
  rm -f "$folder/request"
  number="${words[0]}"
  # A process group of its own, so that a copy's programs can be ended with it.
  "${words[@]:1}" &
  pid=$!
  tell "pid.$number" "$pid"
}

pass_on() {
  name="$(cat "$folder/signal")"
  rm -f "$folder/signal"
  [ -n "$pid" ] || return 0
  if [ "$name" = KILL ]; then kill -KILL -- "-$pid" 2> /dev/null; else kill -TERM "$pid" 2> /dev/null; fi
}

# The script hands the writes over and then asks for the stop; this container must outlive its own TERM until then.
trap 'leaving=yes' TERM
leaving=''
tell boot "$$-$RANDOM-$(date +%s)"
while true; do
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
  sleep 0.1
done
