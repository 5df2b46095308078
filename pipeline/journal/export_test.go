package journal

// Tidy does at once what Tend does every so often.
func (j *Journal) Tidy() {
	j.prepareSpare()
	j.tidy()
}
