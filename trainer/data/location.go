package data

import "context"

// location tells where a file is, so that Read can open it again after Find.
type location struct {
	path     string // of the file, or of the archive that it is a member of
	member   string // name in an .npz archive; "": path is the file itself
	embedded bool   // path is a name in embeddedFiles
}

// open opens the file as a source, which the caller closes.
func (l location) open(ctx context.Context) (*source, error) {
	switch {
	case l.embedded:
		return embeddedSource(ctx, l.path)
	case l.member != "":
		return openMember(ctx, l.path, l.member)
	}
	return openSource(ctx, l.path)
}

// where is the path of a file on disk that holds nothing else; "" if there is none.
func (l location) where() string {
	if l.embedded || l.member != "" {
		return ""
	}
	return l.path
}
