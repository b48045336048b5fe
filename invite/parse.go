package invite

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/usher-go/usher/tenancy"
)

// The most that [ParseBulk] reads.
const (
	MaxBulkRows  = 1000
	MaxBulkCell  = 1000    // bytes
	MaxBulkBytes = 1 << 20 // of the whole file
)

// Row is one line of those whom [Service.Bulk] invites, as it was written.
type Row struct {
	// Line is where it stands in the file, from 1; it comes back with the result.
	Line  int
	Email string
	// Role is "manager", "member" or "restricted", or the name of a custom role of the account, to
	// the letter. Empty is member.
	Role string `json:",omitempty"`
}

// ParseBulk reads whom to invite: a CSV file with a heading row, whose columns are email (or e-mail)
// and, if one likes, role; or a plain list of addresses, one a line. It is UTF-8, with or without a
// byte order mark. Blank lines are passed over, and cells that are missing at the end of a row are
// empty; none has a line break in it. What an address or a role holds is not looked at here: [Service.Bulk] says it for each row.
//
// What cannot be read, an unknown heading, and what exceeds [MaxBulkRows], [MaxBulkCell] or
// [MaxBulkBytes] is a [*tenancy.InvalidError] that names the line.
func ParseBulk(r io.Reader) ([]Row, error) {
	file := bufio.NewReader(&bounded{r: r, left: MaxBulkBytes})
	if mark, err := file.Peek(len(byteOrderMark)); err == nil && string(mark) == byteOrderMark {
		_, _ = file.Discard(len(byteOrderMark)) // it is in the buffer
	}
	sheet := bulkSheet{csv: csv.NewReader(file)}
	sheet.csv.FieldsPerRecord = -1
	var rows []Row
	for {
		cells, err := sheet.next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		if sheet.columns == nil {
			var heading bool
			if sheet.columns, heading, err = headings(cells); err != nil {
				return nil, sheet.bad(err.Error())
			}
			if heading {
				continue
			}
		}
		if len(rows) == MaxBulkRows {
			return nil, sheet.bad(fmt.Sprintf("is one too many: at most %d rows", MaxBulkRows))
		}
		row, err := sheet.row(cells)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
}

const byteOrderMark = "\ufeff"

// bulkSheet is a file that is read record by record.
type bulkSheet struct {
	csv     *csv.Reader
	columns []column
	line    int
}

// column is what a cell says of a row.
type column func(r *Row, cell string)

// columns are the known headings.
var columns = []struct {
	names []string
	set   column
}{
	{[]string{"email", "e-mail"}, func(r *Row, cell string) { r.Email = cell }},
	{[]string{"role"}, func(r *Row, cell string) { r.Role = cell }},
}

// headings are the columns that the first row names, or those of a plain list, whose first row is one
// of its addresses.
func headings(cells []string) (found []column, heading bool, err error) {
	if strings.Contains(strings.Join(cells, ""), "@") {
		return []column{columns[0].set}, false, nil
	}
	taken := make([]bool, len(columns))
	for _, cell := range cells {
		at := known(cell)
		switch {
		case at < 0:
			return nil, false, fmt.Errorf("has the unknown heading %s; allowed are email and role", strconv.QuoteToASCII(cell))
		case taken[at]:
			return nil, false, fmt.Errorf("has the heading %s twice", columns[at].names[0])
		}
		taken[at] = true
		found = append(found, columns[at].set)
	}
	if !taken[0] {
		return nil, false, errors.New("must have the heading email")
	}
	return found, true, nil
}

// known is which of the columns the heading names, in whatever case; -1 for none.
func known(heading string) int {
	heading = strings.TrimSpace(heading)
	for i, c := range columns {
		for _, name := range c.names {
			if len(heading) == len(name) && strings.EqualFold(heading, name) {
				return i
			}
		}
	}
	return -1
}

// next reads the next record that is not blank.
func (s *bulkSheet) next() ([]string, error) {
	for {
		cells, err := s.csv.Read()
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, s.unread(err)
		}
		if err != nil {
			return nil, io.EOF
		}
		s.line, _ = s.csv.FieldPos(0)
		for _, cell := range cells {
			if len(cell) > MaxBulkCell {
				return nil, s.bad(fmt.Sprintf("has a cell of more than %d bytes", MaxBulkCell))
			}
			if !utf8.ValidString(cell) {
				return nil, s.bad("is not UTF-8")
			}
			if strings.ContainsAny(cell, "\r\n") { // mostly a quote that was not closed
				return nil, s.bad("has a cell with a line break in it")
			}
		}
		if strings.TrimSpace(strings.Join(cells, "")) != "" {
			return cells, nil
		}
	}
}

// row is a record by its columns. Cells beyond them may be there, and empty.
func (s *bulkSheet) row(cells []string) (Row, error) {
	row := Row{Line: s.line}
	for i, cell := range cells {
		if i < len(s.columns) {
			s.columns[i](&row, cell)
		} else if strings.TrimSpace(cell) != "" {
			return Row{}, s.bad("has more cells than there are columns; a plain list has one address a line, and a file with more a heading row")
		}
	}
	return row, nil
}

// unread says why the reader stopped: where it knows the line, after what it was reading otherwise.
func (s *bulkSheet) unread(err error) error {
	var syntax *csv.ParseError
	switch {
	case errors.As(err, &syntax):
		s.line = syntax.Line
		return s.bad("is not CSV: " + syntax.Err.Error())
	case errors.Is(err, errTooLong):
		s.line++
		return s.bad(fmt.Sprintf("ends beyond the first %d bytes, which are the most", MaxBulkBytes))
	}
	return fmt.Errorf("usher: whom to invite cannot be read: %w", err)
}

func (s *bulkSheet) bad(reason string) error {
	return &tenancy.InvalidError{Field: "line " + strconv.Itoa(s.line), Reason: reason}
}

var errTooLong = errors.New("too long")

// bounded ends with an error where a file is longer than it may be, unlike an [io.LimitedReader],
// which would cut it without a word.
type bounded struct {
	r    io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLong
	}
	n, err := b.r.Read(p[:min(len(p), b.left+1)])
	if b.left -= n; b.left < 0 {
		return 0, errTooLong
	}
	return n, err
}
