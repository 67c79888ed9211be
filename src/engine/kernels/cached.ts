/** A function that computes its result once for each object, so that training steps allocate nothing. */
export const cached = <Key extends object, Value extends object>(make: (key: Key) => Value): ((key: Key) => Value) => {
  const cache = new WeakMap<Key, Value>();
  return (key) => {
    let made = cache.get(key);
    if (!made) cache.set(key, (made = make(key)));
    return made;
  };
};
