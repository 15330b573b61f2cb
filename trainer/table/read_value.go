package table

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/plume-ml/plume/trainer/data/columns"
)

// Formats of the texts of days and times.
const (
	dayFormat  = "%Y-%m-%d"
	timeFormat = "%Y-%m-%d %H:%M:%S"
	dayLayout  = "2006-01-02"
	timeLayout = "2006-01-02 15:04:05.999999"
)

// cellsOf says what a column of a type holds, and returns the function that writes its values as
// the cells of a columns.Source.
func cellsOf(t parquet.Type) (columns.Column, func(parquet.Value) (string, error), error) {
	column := columns.Column{}
	if logical := t.LogicalType(); logical != nil {
		switch l := logical.Value.(type) {
		case *format.DateType:
			column.Kind, column.Format = columns.Date, dayFormat
			return column, dayText, nil
		case *format.TimestampType:
			column.Kind, column.Format = columns.Date, timeFormat
			return column, timestampText(l.Unit), nil
		case *format.DecimalType:
			return column, decimalText(int(l.Scale)), nil
		case *format.TimeType, *format.UUIDType, *format.IntType, nil:
		case *format.StringType, *format.EnumType, *format.JsonType:
			column.Kind = columns.Text
			return column, wordText, nil
		default:
			return column, nil, fmt.Errorf("is of the type %s; expected numbers, words, booleans "+
				"or dates", logical)
		}
	}
	switch t.Kind() {
	case parquet.Boolean, parquet.Int32, parquet.Int64, parquet.Float, parquet.Double:
		return column, numberText(isUnsigned(t)), nil
	case parquet.ByteArray:
		column.Kind = columns.Text
		return column, wordText, nil
	case parquet.Int96:
		return column, nil, errors.New("is of the old type INT96; expected times as TIMESTAMP: " +
			"in pandas df.to_parquet(..., coerce_timestamps=\"us\"), in Spark " +
			"spark.sql.parquet.outputTimestampType=TIMESTAMP_MICROS")
	}
	return column, nil, fmt.Errorf("is of the type %s, which is binary; expected numbers, words, "+
		"booleans or dates", t)
}

func isUnsigned(t parquet.Type) bool {
	if logical := t.LogicalType(); logical != nil {
		l, ok := logical.Value.(*format.IntType)
		return ok && !l.IsSigned
	}
	return false
}

// numberText writes numbers in full, and booleans.
func numberText(unsigned bool) func(parquet.Value) (string, error) {
	return func(v parquet.Value) (string, error) {
		switch v.Kind() {
		case parquet.Boolean:
			return strconv.FormatBool(v.Boolean()), nil
		case parquet.Int32:
			if unsigned {
				return strconv.FormatUint(uint64(v.Uint32()), 10), nil
			}
			return strconv.FormatInt(int64(v.Int32()), 10), nil
		case parquet.Int64:
			if unsigned {
				return strconv.FormatUint(v.Uint64(), 10), nil
			}
			return strconv.FormatInt(v.Int64(), 10), nil
		case parquet.Float:
			return floatText(float64(v.Float()), 32), nil
		}
		return floatText(v.Double(), 64), nil
	}
}

// floatText is "" for NaN, which is how pandas writes missing numbers.
func floatText(v float64, bits int) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, bits)
}

func wordText(v parquet.Value) (string, error) {
	b := v.ByteArray()
	if !utf8.Valid(b) {
		return "", fmt.Errorf("is %q, not in UTF-8; expected text", b[:min(len(b), 32)])
	}
	return trimmed(b), nil
}

func dayText(v parquet.Value) (string, error) {
	return checkedYear(time.Unix(int64(v.Int32())*24*3600, 0).UTC(), dayLayout)
}

func timestampText(unit format.TimeUnit) func(parquet.Value) (string, error) {
	perSecond := int64(1e6)
	switch unit.Value.(type) {
	case *format.MilliSeconds:
		perSecond = 1e3
	case *format.NanoSeconds:
		perSecond = 1e9
	}
	return func(v parquet.Value) (string, error) {
		x := v.Int64()
		seconds, rest := x/perSecond, x%perSecond
		return checkedYear(time.Unix(seconds, rest*(1e9/perSecond)).UTC(), timeLayout)
	}
}

// checkedYear refuses years that are not written with four digits.
func checkedYear(t time.Time, layout string) (string, error) {
	if t.Year() < 0 || t.Year() > 9999 {
		return "", fmt.Errorf("is a date of the year %d; expected 0 to 9999", t.Year())
	}
	return t.Format(layout), nil
}

// decimalText writes whole numbers of the scale-th power of a tenth.
func decimalText(scale int) func(parquet.Value) (string, error) {
	return func(v parquet.Value) (string, error) {
		n := new(big.Int)
		switch v.Kind() {
		case parquet.Int32:
			n.SetInt64(int64(v.Int32()))
		case parquet.Int64:
			n.SetInt64(v.Int64())
		default: // big-endian two's complement
			b := v.ByteArray()
			n.SetBytes(b)
			if len(b) > 0 && b[0] >= 0x80 {
				n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
			}
		}
		power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
		return new(big.Rat).SetFrac(n, power).FloatString(scale), nil
	}
}
