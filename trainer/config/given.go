package config

// Given is a key that the user set.
type Given struct {
	Key   string
	Where string // a file and its line, a variable of the environment, or a flag
}
