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

// A chunk of a message: a request of MPI.
typedef struct {
	int peer, out;
	size_t expected;
} chunk;

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

// Where messages of no bytes are: Open MPI writes to NULL if a longer one arrives.
static char nothing;

// Posts the messages that go one way.
static int post(plume_link *l, const plume_message *all, int n, int tag, int out,
		MPI_Request *requests, chunk *parts, int *posted) {
	for (int i = 0; i < n; i++) {
		const plume_message *m = &all[i];
		if (m->out != out) continue;
		size_t count = chunks(l, m->bytes);
		for (size_t c = 0; c < count; c++) {
			size_t from = c * l->chunk;
			size_t size = c + 1 < count ? l->chunk : m->bytes - from;
			char *data = size ? (char *)m->data + from : &nothing;
			MPI_Request *r = &requests[*posted];
			int code = out
				? MPI_Isend(data, (int)size, MPI_BYTE, m->peer, tag, MPI_COMM_WORLD, r)
				: MPI_Irecv(data, (int)size, MPI_BYTE, m->peer, MPI_ANY_TAG, MPI_COMM_WORLD, r);
			l->peer = m->peer;
			if (code != MPI_SUCCESS) return code;
			parts[(*posted)++] = (chunk){m->peer, out, size};
			__atomic_add_fetch(counter(l, m->peer), 1, __ATOMIC_RELAXED);
		}
	}
	return MPI_SUCCESS;
}

// Says whether a chunk has arrived as expected.
static int check(plume_link *l, const chunk *c, MPI_Status *s, int failed, int tag) {
	int code = failed ? s->MPI_ERROR : MPI_SUCCESS, count = 0, class = MPI_SUCCESS;
	if (code == MPI_ERR_PENDING) return MPI_SUCCESS;
	l->peer = c->peer;
	if (code != MPI_SUCCESS) MPI_Error_class(code, &class);
	if (c->out || (code != MPI_SUCCESS && class != MPI_ERR_TRUNCATE)) return code;
	MPI_Get_count(s, MPI_BYTE, &count);
	if (code == MPI_SUCCESS && s->MPI_TAG == tag && (size_t)count == c->expected) return code;
	l->tag = s->MPI_TAG;
	l->bytes = (size_t)count;
	l->expected = c->expected;
	return plume_surprise;
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

// Waits until all requests are done.
static int finish(plume_link *l, int tag, int posted, MPI_Request *requests, chunk *parts,
		MPI_Status *statuses, int *done) {
	long asked = 0, since = 0;
	for (int left = posted; left > 0;) {
		if (__atomic_load_n(&l->stop, __ATOMIC_ACQUIRE)) return plume_stopped;
		int count = 0;
		int code = MPI_Testsome(posted, requests, &count, done, statuses);
		int failed = code == MPI_ERR_IN_STATUS;
		if (code != MPI_SUCCESS && !failed) return code;
		if (count == MPI_UNDEFINED) return MPI_ERR_OTHER;
		for (int i = 0; i < count; i++) {
			const chunk *c = &parts[done[i]];
			code = check(l, c, &statuses[i], failed, tag);
			if (code != MPI_SUCCESS) return code;
			__atomic_sub_fetch(counter(l, c->peer), 1, __ATOMIC_RELAXED);
			left--;
		}
		asked = count > 0 ? 0 : asked + 1;
		if (left > 0) idle(asked, &since);
	}
	return MPI_SUCCESS;
}

int plume_exchange(plume_link *l, const plume_message *all, int n, int tag) {
	size_t total = 0;
	for (int i = 0; i < n; i++) total += chunks(l, all[i].bytes);
	size_t each = sizeof(MPI_Request) + sizeof(chunk) + sizeof(MPI_Status) + sizeof(int);
	if (l->length < total) {
		free(l->room);
		l->room = malloc(total * each);
		l->length = l->room ? total : 0;
		if (!l->room) return plume_memory;
	}
	// The widest types come first, so that all are aligned.
	MPI_Status *statuses = l->room;
	chunk *parts = (chunk *)(statuses + total);
	MPI_Request *requests = (MPI_Request *)(parts + total);
	int *done = (int *)(requests + total);
	int posted = 0;
	int code = post(l, all, n, tag, 0, requests, parts, &posted);
	if (code == MPI_SUCCESS) code = post(l, all, n, tag, 1, requests, parts, &posted);
	if (code != MPI_SUCCESS) return code;
	return finish(l, tag, posted, requests, parts, statuses, done);
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
