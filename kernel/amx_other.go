//go:build !(linux && amd64)

package kernel

// thisSystem has no request for tiles.
var thisSystem tileSystem
