package raster

var Upright = upright
