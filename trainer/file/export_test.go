package file

// Temporary exports temporary to the tests, which cannot be in this package because faultfs imports
// it.
var Temporary = temporary
