import { ImageCatalog } from '../../src';

const CATALOG = ImageCatalog.of(
  { image: 'pg:16.4', version: '16.4' }, { image: 'pg:16.10', version: '16.10' }, { image: 'pg:9.6', version: '9.6' },
);

describe('ImageCatalog', () => {
  it('lists versions by number, because 16.10 is newer than 16.4', () => {
    expect(CATALOG.versions()).toEqual(['9.6', '16.4', '16.10']);
  });

  it.each([['16', 'pg:16.10'], ['16.4', 'pg:16.4'], ['9', 'pg:9.6']])('finds for %s the image %s', (version, image) => {
    expect(CATALOG.find(version)?.image).toBe(image);
  });

  it.each(['1', '16.', '', '17', '16.1'])('finds nothing for %j, because a near version is not the one that was asked for', (version) => {
    expect(CATALOG.find(version)).toBeUndefined();
  });

  it('prefers the image that was added last, so that one of the standard ones can be replaced', () => {
    expect(CATALOG.withImages({ image: 'mine:1', version: '16.4' }).find('16.4')?.image).toBe('mine:1');
    expect(CATALOG.find('16.4')?.image).toBe('pg:16.4');
  });

  it('puts a mirror before every reference, with or without a slash at its end', () => {
    expect(CATALOG.withRegistry('m.example/team/').find('16')?.image).toBe('m.example/team/pg:16.10');
  });

  it('has the version that the seed asks for', () => {
    expect(ImageCatalog.standard().versions()).toEqual(expect.arrayContaining(['14.5', '17.11']));
  });
});
