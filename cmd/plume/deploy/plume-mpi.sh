#!/bin/sh
# Trains on several machines with plume-mpi (make build-mpi) by the mpirun of Open MPI 4 or 5, one
# rank a machine:
#
#     plume-mpi.sh hosts study.toml runs/study [flags of plume train]
#
# hosts is a file with a machine on each line, as "node1 slots=1"; mpirun reaches them by ssh. The
# number of machines must suit the key lanes of study.toml, and they all see the directory under the
# same path. SIGTERM, SIGINT and SIGHUP save a checkpoint and end the run; started again it goes on.
set -u

if [ $# -lt 3 ]; then
	echo 'usage: plume-mpi.sh HOSTS CONFIG.toml DIRECTORY [flags of plume train]' >&2
	exit 2
fi
hosts=$1 config=$2 out=$3
shift 3

# --bind-to none: mpirun would give each rank one core otherwise, if there are few ranks.
# On machines with several networks, OMPI_MCA_btl_tcp_if_include=eth0 (or 10.0.0.0/16) in the
# environment says which one to take.
mpirun --hostfile "$hosts" --map-by ppr:1:node --bind-to none \
	plume-mpi train --config "$config" --out "$out" --resume "$@" &
job=$!

# mpirun kills the ranks one second after a SIGTERM; it passes SIGUSR1 on, which plume takes alike.
trap 'kill -USR1 "$job"' TERM INT HUP
while kill -0 "$job" 2> /dev/null; do
	wait "$job"
done
wait "$job"
