package figure

import "image/color"

// Colour is the colour of series number i; they repeat.
func Colour(i int) color.RGBA { return colours[i%len(colours)] }
