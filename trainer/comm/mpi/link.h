#include <stddef.h>

// A message from or to a rank.
typedef struct {
	void *data;
	size_t bytes;
	int peer;
	int out;       // it is sent
	size_t posted; // how many chunks of it MPI has
} plume_message;

// What an exchange needs, and what it says. Others may read left and set stop at any time.
typedef struct {
	size_t chunk;  // the largest size of one MPI message, in bytes
	int size;      // ranks
	int *left;     // for each rank, how many messages from and to it are under way
	int stop;      // set: the exchange ends
	void *room;    // for requests
	size_t length; // how many it has room for

	// Of an arrival other than the expected one, or of an error.
	int peer, tag;
	size_t bytes, expected;
} plume_link;

// Results of plume_exchange besides MPI's codes, which are not negative.
enum { plume_surprise = -1, plume_stopped = -2, plume_memory = -3 };

int plume_start(plume_link *l, int *rank);
int plume_exchange(plume_link *l, plume_message *all, int n, int tag);
int plume_left(plume_link *l, int rank);
void plume_stop(plume_link *l);
void plume_abort(int code);
int plume_finalize(void);
void plume_error(int code, char *text, int room);
void plume_library(char *text, int room);
