// Package run keeps what a run's directory needs beside the state of its training: the lock that
// lets one process at a time write it, and the table that says which row of the data each
// particle belongs to.
package run
