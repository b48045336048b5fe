package access

// ClassRow is a row of the table, for the test of the page that shows it.
type ClassRow struct {
	Status             int
	Anchor, Title, Err string
}

// Classes are the rows of the table.
func Classes() []ClassRow {
	rows := make([]ClassRow, 0, len(classes))
	for _, c := range &classes {
		rows = append(rows, ClassRow{Status: c.status, Anchor: c.anchor, Title: c.title, Err: c.err.Error()})
	}
	return rows
}
