//go:build mpi

#include "link.h"

#include <mpi.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// A waiting rank asks MPI this often without giving its core away, and for this long before it
// sleeps between two questions: others of this machine may need the core for what it waits for.
enum { eager = 100, patient_ms = 50, nap_us = 50 };

// What MPI has of an exchange: a request for each chunk.
typedef struct {
	MPI_Status *statuses;
	MPI_Request *requests;
	int *peers; // of the requests
	int *done;  // which requests MPI_Testsome found done
	int posted;
} requests;

// Libraries under MPI replace handlers of signals: UCX those of SIGSEGV and others, by which Go
// turns a nil pointer into a panic, and MPICH that of SIGUSR1. All are put back.
int plume_start(plume_link *l, int *rank) {
	struct sigaction before[NSIG];
	int known[NSIG] = {0}, provided = 0;
	for (int s = 1; s < NSIG; s++) known[s] = sigaction(s, NULL, &before[s]) == 0;
	int code = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided);
	for (int s = 1; s < NSIG; s++)
		if (known[s]) sigaction(s, &before[s], NULL);
	if (code != MPI_SUCCESS) return code;
	if (provided < MPI_THREAD_SERIALIZED) return MPI_ERR_OTHER;
	code = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
	if (code == MPI_SUCCESS) code = MPI_Comm_rank(MPI_COMM_WORLD, rank);
	if (code == MPI_SUCCESS) code = MPI_Comm_size(MPI_COMM_WORLD, &l->size);
	if (code != MPI_SUCCESS) return code;
	l->left = calloc(l->size, sizeof *l->left);
	return l->left ? MPI_SUCCESS : plume_memory;
}

static size_t chunks(const plume_link *l, size_t bytes) {
	return bytes == 0 ? 1 : (bytes + l->chunk - 1) / l->chunk;
}

static int *counter(plume_link *l, int peer) { return &l->left[peer]; }

// The size of the next chunk of a message.
static size_t next(const plume_link *l, const plume_message *m) {
	size_t left = m->bytes - m->posted * l->chunk;
	return left < l->chunk ? left : l->chunk;
}

// Gives MPI the next chunk of a message.
static int post(plume_link *l, plume_message *m, int tag, requests *r) {
	char *data = (char *)m->data + m->posted * l->chunk;
	int size = (int)next(l, m);
	MPI_Request *request = &r->requests[r->posted];
	int code = m->out ? MPI_Isend(data, size, MPI_BYTE, m->peer, tag, MPI_COMM_WORLD, request)
			  : MPI_Irecv(data, size, MPI_BYTE, m->peer, tag, MPI_COMM_WORLD, request);
	l->peer = m->peer;
	if (code != MPI_SUCCESS) return code;
	r->peers[r->posted++] = m->peer;
	m->posted++;
	return MPI_SUCCESS;
}

// Looks whether the next chunk of a message is here, and is as expected.
static int arrived(plume_link *l, const plume_message *m, int tag, int *here) {
	MPI_Status s;
	int count = 0;
	int code = MPI_Iprobe(m->peer, MPI_ANY_TAG, MPI_COMM_WORLD, here, &s);
	l->peer = m->peer;
	if (code != MPI_SUCCESS || !*here) return code;
	code = MPI_Get_count(&s, MPI_BYTE, &count);
	if (code != MPI_SUCCESS) return code;
	if (s.MPI_TAG == tag && (size_t)count == next(l, m)) return MPI_SUCCESS;
	l->tag = s.MPI_TAG;
	l->bytes = (size_t)count;
	l->expected = next(l, m);
	return plume_surprise;
}

// Begins to receive the chunks that are here. MPI gets no memory before: Open MPI would write there
// all of a message that is longer, over whatever follows, and only then say that it is too long.
static int receive(plume_link *l, plume_message *all, int n, int tag, requests *r) {
	for (int i = 0; i < n; i++) {
		plume_message *m = &all[i];
		while (!m->out && m->posted < chunks(l, m->bytes)) {
			int here = 0;
			int code = arrived(l, m, tag, &here);
			if (code == MPI_SUCCESS && here) code = post(l, m, tag, r);
			if (code != MPI_SUCCESS) return code;
			if (!here) break;
		}
	}
	return MPI_SUCCESS;
}

static long milliseconds(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000L;
}

// Waits a little, after so many questions in vain.
static void idle(long asked, long *since) {
	if (asked < eager) return;
	if (asked == eager) *since = milliseconds();
	if (asked % 64 == 0 && milliseconds() - *since > patient_ms) {
		struct timespec nap = {0, nap_us * 1000L};
		nanosleep(&nap, NULL);
	} else {
		sched_yield();
	}
}

// Takes note of the requests that are done, and counts them.
static int collect(plume_link *l, requests *r, int *count) {
	int code = MPI_Testsome(r->posted, r->requests, count, r->done, r->statuses);
	int failed = code == MPI_ERR_IN_STATUS;
	if (code != MPI_SUCCESS && !failed) return code;
	if (*count == MPI_UNDEFINED) *count = 0; // what was posted is done, and more is to come
	for (int i = 0; i < *count; i++) {
		int peer = r->peers[r->done[i]];
		if (failed && r->statuses[i].MPI_ERROR != MPI_SUCCESS) {
			l->peer = peer;
			return r->statuses[i].MPI_ERROR;
		}
		__atomic_sub_fetch(counter(l, peer), 1, __ATOMIC_RELAXED);
	}
	return MPI_SUCCESS;
}

// Receives all messages, and waits until all that is sent is on its way.
static int finish(plume_link *l, plume_message *all, int n, int tag, size_t total, requests *r) {
	long asked = 0, since = 0;
	for (size_t finished = 0; finished < total;) {
		if (__atomic_load_n(&l->stop, __ATOMIC_ACQUIRE)) return plume_stopped;
		int count = 0, posted = r->posted;
		int code = receive(l, all, n, tag, r);
		if (code == MPI_SUCCESS) code = collect(l, r, &count);
		if (code != MPI_SUCCESS) return code;
		finished += count;
		asked = count > 0 || r->posted > posted ? 0 : asked + 1;
		if (finished < total) idle(asked, &since);
	}
	return MPI_SUCCESS;
}

int plume_exchange(plume_link *l, plume_message *all, int n, int tag) {
	size_t total = 0;
	for (int i = 0; i < n; i++) {
		size_t count = chunks(l, all[i].bytes);
		__atomic_add_fetch(counter(l, all[i].peer), (int)count, __ATOMIC_RELAXED);
		total += count;
	}
	size_t each = sizeof(MPI_Status) + sizeof(MPI_Request) + 2 * sizeof(int);
	if (l->length < total) {
		free(l->room);
		l->room = malloc(total * each);
		l->length = l->room ? total : 0;
		if (!l->room) return plume_memory;
	}
	_Static_assert(sizeof(MPI_Status) % _Alignof(MPI_Request) == 0, "requests follow statuses");
	requests r = {.statuses = l->room};
	r.requests = (MPI_Request *)(r.statuses + total);
	r.peers = (int *)(r.requests + total);
	r.done = r.peers + total;
	for (int i = 0; i < n; i++) {
		while (all[i].out && all[i].posted < chunks(l, all[i].bytes)) {
			int code = post(l, &all[i], tag, &r);
			if (code != MPI_SUCCESS) return code;
		}
	}
	return finish(l, all, n, tag, total, &r);
}

int plume_left(plume_link *l, int rank) {
	return __atomic_load_n(counter(l, rank), __ATOMIC_RELAXED);
}

void plume_stop(plume_link *l) { __atomic_store_n(&l->stop, 1, __ATOMIC_RELEASE); }

void plume_abort(int code) { MPI_Abort(MPI_COMM_WORLD, code); }

int plume_finalize(void) { return MPI_Finalize(); }

void plume_error(int code, char *text, int room) {
	char all[MPI_MAX_ERROR_STRING] = "";
	int length = 0;
	MPI_Error_string(code, all, &length);
	strncpy(text, all, room - 1);
}

void plume_library(char *text, int room) {
	char all[MPI_MAX_LIBRARY_VERSION_STRING] = "";
	int length = 0;
	MPI_Get_library_version(all, &length);
	strncpy(text, all, room - 1);
}
