package query

// Most is how with at most so many bytes of rows in memory.
func (r Read) Most(bytes int64) Read {
	r.most = bytes
	return r
}
