package journal

// Tidy does at once what Tend does every so often.
func (j *Journal) Tidy() {
	j.prepareSpare()
	j.tidy()
}

// Abandon gives the folder free as the end of a process does.
func (j *Journal) Abandon() { release(j.lock) }
