package console

import (
	"bytes"
	"image"
	"image/color"
	"image/png"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// Size of the pretended screen, in characters of the 7x13 font.
const (
	Columns = 100
	Rows    = 37
	charW   = 7
	charH   = 13
	margin  = 4
)

// PNG draws lines as a screen of light grey on black.
func PNG(lines []string) ([]byte, error) {
	img := image.NewPaletted(image.Rect(0, 0, Columns*charW+2*margin, Rows*charH+2*margin),
		color.Palette{color.Black, color.Gray{Y: 0xcc}})
	d := font.Drawer{Dst: img, Src: image.NewUniform(color.Gray{Y: 0xcc}), Face: basicfont.Face7x13}
	for i, line := range lines {
		d.Dot = fixed.P(margin, margin+i*charH+basicfont.Face7x13.Ascent)
		d.DrawString(line)
	}
	var out bytes.Buffer
	err := png.Encode(&out, img)
	return out.Bytes(), err
}
