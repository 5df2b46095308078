package checksum

// model is a CRC as the RevEng catalogue describes it. In all models of these
// widths refin and refout are the same.
type model struct {
	name    string
	bits    int
	poly    uint64
	init    uint64
	reflect bool
	xorout  uint64
	check   uint64 // the checksum of "123456789"
}

const (
	all16 = 1<<16 - 1
	all24 = 1<<24 - 1
	all32 = 1<<32 - 1
	all64 = 1<<64 - 1
)

// catalogue holds the models of whole bytes, by width and name.
var catalogue = [...]model{
	{"CRC-8/AUTOSAR", 8, 0x2f, 0xff, false, 0xff, 0xdf},
	{"CRC-8/BLUETOOTH", 8, 0xa7, 0, true, 0, 0x26},
	{"CRC-8/CDMA2000", 8, 0x9b, 0xff, false, 0, 0xda},
	{"CRC-8/DARC", 8, 0x39, 0, true, 0, 0x15},
	{"CRC-8/DVB-S2", 8, 0xd5, 0, false, 0, 0xbc},
	{"CRC-8/GSM-A", 8, 0x1d, 0, false, 0, 0x37},
	{"CRC-8/GSM-B", 8, 0x49, 0, false, 0xff, 0x94},
	{"CRC-8/HITAG", 8, 0x1d, 0xff, false, 0, 0xb4},
	{"CRC-8/I-432-1", 8, 0x07, 0, false, 0x55, 0xa1},
	{"CRC-8/I-CODE", 8, 0x1d, 0xfd, false, 0, 0x7e},
	{"CRC-8/LTE", 8, 0x9b, 0, false, 0, 0xea},
	{"CRC-8/MAXIM-DOW", 8, 0x31, 0, true, 0, 0xa1},
	{"CRC-8/MIFARE-MAD", 8, 0x1d, 0xc7, false, 0, 0x99},
	{"CRC-8/NRSC-5", 8, 0x31, 0xff, false, 0, 0xf7},
	{"CRC-8/OPENSAFETY", 8, 0x2f, 0, false, 0, 0x3e},
	{"CRC-8/ROHC", 8, 0x07, 0xff, true, 0, 0xd0},
	{"CRC-8/SAE-J1850", 8, 0x1d, 0xff, false, 0xff, 0x4b},
	{"CRC-8/SMBUS", 8, 0x07, 0, false, 0, 0xf4},
	{"CRC-8/TECH-3250", 8, 0x1d, 0xff, true, 0, 0x97},
	{"CRC-8/WCDMA", 8, 0x9b, 0, true, 0, 0x25},

	{"CRC-16/ARC", 16, 0x8005, 0, true, 0, 0xbb3d},
	{"CRC-16/CDMA2000", 16, 0xc867, all16, false, 0, 0x4c06},
	{"CRC-16/CMS", 16, 0x8005, all16, false, 0, 0xaee7},
	{"CRC-16/DDS-110", 16, 0x8005, 0x800d, false, 0, 0x9ecf},
	{"CRC-16/DECT-R", 16, 0x0589, 0, false, 1, 0x007e},
	{"CRC-16/DECT-X", 16, 0x0589, 0, false, 0, 0x007f},
	{"CRC-16/DNP", 16, 0x3d65, 0, true, all16, 0xea82},
	{"CRC-16/EN-13757", 16, 0x3d65, 0, false, all16, 0xc2b7},
	{"CRC-16/GENIBUS", 16, 0x1021, all16, false, all16, 0xd64e},
	{"CRC-16/GSM", 16, 0x1021, 0, false, all16, 0xce3c},
	{"CRC-16/IBM-3740", 16, 0x1021, all16, false, 0, 0x29b1},
	{"CRC-16/IBM-SDLC", 16, 0x1021, all16, true, all16, 0x906e},
	{"CRC-16/ISO-IEC-14443-3-A", 16, 0x1021, 0xc6c6, true, 0, 0xbf05},
	{"CRC-16/KERMIT", 16, 0x1021, 0, true, 0, 0x2189},
	{"CRC-16/LJ1200", 16, 0x6f63, 0, false, 0, 0xbdf4},
	{"CRC-16/M17", 16, 0x5935, all16, false, 0, 0x772b},
	{"CRC-16/MAXIM-DOW", 16, 0x8005, 0, true, all16, 0x44c2},
	{"CRC-16/MCRF4XX", 16, 0x1021, all16, true, 0, 0x6f91},
	{"CRC-16/MODBUS", 16, 0x8005, all16, true, 0, 0x4b37},
	{"CRC-16/NRSC-5", 16, 0x080b, all16, true, 0, 0xa066},
	{"CRC-16/OPENSAFETY-A", 16, 0x5935, 0, false, 0, 0x5d38},
	{"CRC-16/OPENSAFETY-B", 16, 0x755b, 0, false, 0, 0x20fe},
	{"CRC-16/PROFIBUS", 16, 0x1dcf, all16, false, all16, 0xa819},
	{"CRC-16/RIELLO", 16, 0x1021, 0xb2aa, true, 0, 0x63d0},
	{"CRC-16/SPI-FUJITSU", 16, 0x1021, 0x1d0f, false, 0, 0xe5cc},
	{"CRC-16/T10-DIF", 16, 0x8bb7, 0, false, 0, 0xd0db},
	{"CRC-16/TELEDISK", 16, 0xa097, 0, false, 0, 0x0fb3},
	{"CRC-16/TMS37157", 16, 0x1021, 0x89ec, true, 0, 0x26b1},
	{"CRC-16/UMTS", 16, 0x8005, 0, false, 0, 0xfee8},
	{"CRC-16/USB", 16, 0x8005, all16, true, all16, 0xb4c8},
	{"CRC-16/XMODEM", 16, 0x1021, 0, false, 0, 0x31c3},

	{"CRC-24/BLE", 24, 0x00065b, 0x555555, true, 0, 0xc25a56},
	{"CRC-24/FLEXRAY-A", 24, 0x5d6dcb, 0xfedcba, false, 0, 0x7979bd},
	{"CRC-24/FLEXRAY-B", 24, 0x5d6dcb, 0xabcdef, false, 0, 0x1f23b8},
	{"CRC-24/INTERLAKEN", 24, 0x328b63, all24, false, all24, 0xb4f3e6},
	{"CRC-24/LTE-A", 24, 0x864cfb, 0, false, 0, 0xcde703},
	{"CRC-24/LTE-B", 24, 0x800063, 0, false, 0, 0x23ef52},
	{"CRC-24/OPENPGP", 24, 0x864cfb, 0xb704ce, false, 0, 0x21cf02},
	{"CRC-24/OS-9", 24, 0x800063, all24, false, all24, 0x200fa5},

	{"CRC-32/AIXM", 32, 0x814141ab, 0, false, 0, 0x3010bf7f},
	{"CRC-32/AUTOSAR", 32, 0xf4acfb13, all32, true, all32, 0x1697d06a},
	{"CRC-32/BASE91-D", 32, 0xa833982b, all32, true, all32, 0x87315576},
	{"CRC-32/BZIP2", 32, 0x04c11db7, all32, false, all32, 0xfc891918},
	{"CRC-32/CD-ROM-EDC", 32, 0x8001801b, 0, true, 0, 0x6ec2edc4},
	{"CRC-32/CKSUM", 32, 0x04c11db7, 0, false, all32, 0x765e7680},
	{"CRC-32/ISCSI", 32, 0x1edc6f41, all32, true, all32, 0xe3069283},
	{"CRC-32/ISO-HDLC", 32, 0x04c11db7, all32, true, all32, 0xcbf43926},
	{"CRC-32/JAMCRC", 32, 0x04c11db7, all32, true, 0, 0x340bc6d9},
	{"CRC-32/MEF", 32, 0x741b8cd7, all32, true, 0, 0xd2c22f51},
	{"CRC-32/MPEG-2", 32, 0x04c11db7, all32, false, 0, 0x0376e6e7},
	{"CRC-32/XFER", 32, 0x000000af, 0, false, 0, 0xbd0be338},

	{"CRC-64/ECMA-182", 64, 0x42f0e1eba9ea3693, 0, false, 0, 0x6c40df5f0b497347},
	{"CRC-64/GO-ISO", 64, 0x1b, all64, true, all64, 0xb90956c775a41001},
	{"CRC-64/MS", 64, 0x259c84cba6426349, all64, true, 0, 0x75d4b74f024eceea},
	{"CRC-64/NVME", 64, 0xad93d23594c93659, all64, true, all64, 0xae8b14860a799888},
	{"CRC-64/REDIS", 64, 0xad93d23594c935a9, 0, true, 0, 0xe9c6d914c4b8d9ca},
	{"CRC-64/WE", 64, 0x42f0e1eba9ea3693, all64, false, all64, 0x62ec59e3f1a4f00a},
	{"CRC-64/XZ", 64, 0x42f0e1eba9ea3693, all64, true, all64, 0x995dc9bbdf1939fa},
}

// aliases are other names under which the catalogue lists a model, those that
// device manuals use.
var aliases = [...]struct{ alias, name string }{
	{"CRC-8", "CRC-8/SMBUS"},
	{"CRC-8/MAXIM", "CRC-8/MAXIM-DOW"},
	{"DOW-CRC", "CRC-8/MAXIM-DOW"},
	{"CRC-8/ITU", "CRC-8/I-432-1"},
	{"CRC-8/EBU", "CRC-8/TECH-3250"},
	{"CRC-8/AES", "CRC-8/TECH-3250"},
	{"CRC-16", "CRC-16/ARC"},
	{"CRC-16/IBM", "CRC-16/ARC"},
	{"CRC-IBM", "CRC-16/ARC"},
	{"CRC-16/LHA", "CRC-16/ARC"},
	{"MODBUS", "CRC-16/MODBUS"},
	{"CRC-CCITT", "CRC-16/KERMIT"},
	{"CRC-16/CCITT", "CRC-16/KERMIT"},
	{"CRC-16/CCITT-TRUE", "CRC-16/KERMIT"},
	{"CRC-16/CCITT-FALSE", "CRC-16/IBM-3740"},
	{"CRC-16/AUTOSAR", "CRC-16/IBM-3740"},
	{"CRC-16/X-25", "CRC-16/IBM-SDLC"},
	{"CRC-16/ISO-HDLC", "CRC-16/IBM-SDLC"},
	{"CRC-B", "CRC-16/IBM-SDLC"},
	{"X-25", "CRC-16/IBM-SDLC"},
	{"CRC-A", "CRC-16/ISO-IEC-14443-3-A"},
	{"CRC-16/AUG-CCITT", "CRC-16/SPI-FUJITSU"},
	{"CRC-16/BUYPASS", "CRC-16/UMTS"},
	{"CRC-16/VERIFONE", "CRC-16/UMTS"},
	{"CRC-16/MAXIM", "CRC-16/MAXIM-DOW"},
	{"CRC-16/ZMODEM", "CRC-16/XMODEM"},
	{"CRC-16/ACORN", "CRC-16/XMODEM"},
	{"XMODEM", "CRC-16/XMODEM"},
	{"KERMIT", "CRC-16/KERMIT"},
	{"CRC-24", "CRC-24/OPENPGP"},
	{"CRC-32", "CRC-32/ISO-HDLC"},
	{"CRC-32/ADCCP", "CRC-32/ISO-HDLC"},
	{"PKZIP", "CRC-32/ISO-HDLC"},
	{"CRC-32C", "CRC-32/ISCSI"},
	{"CRC-32/CASTAGNOLI", "CRC-32/ISCSI"},
	{"CRC-32D", "CRC-32/BASE91-D"},
	{"CRC-32/POSIX", "CRC-32/CKSUM"},
	{"CRC-64", "CRC-64/ECMA-182"},
	{"CRC-64/GO-ECMA", "CRC-64/XZ"},
}
